import numpy as np
import pytest

from soundviews.separation.draw import Wanted


def wanted(batch: int = 30000, **options: bool) -> Wanted:
    rng = np.random.default_rng(0)
    said = {"second": False, "mixture": False, "discard_worst": False} | options
    return Wanted(np.zeros(batch, np.int64), rng.random((batch, 2)), **said)


def shares(channels: np.ndarray, values: list[int]) -> list[float]:
    return [float(np.mean(channels == value)) for value in values]


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("sources", [2, 4])
def test_channels_are_equally_likely(sources: int, second: bool) -> None:
    draw = wanted(second=second)
    found = draw.channel(np.full(30000, sources), np.zeros(30000, np.int64))
    assert shares(found, list(range(sources))) == pytest.approx([1 / sources] * sources, abs=0.01)


@pytest.mark.parametrize("sources", [2, 3, 16])
def test_the_second_branch_takes_another_channel(sources: int) -> None:
    count, none = np.full(30000, sources), np.zeros(30000, np.int64)
    first = wanted().channel(count, none)
    second = wanted(second=True).channel(count, none)
    assert not (first == second).any()


def test_the_mixture_is_as_likely_as_each_channel() -> None:
    found = wanted(mixture=True).channel(np.full(30000, 2), np.zeros(30000, np.int64))
    assert shares(found, [-1, 0, 1]) == pytest.approx([1 / 3] * 3, abs=0.01)


def test_the_worst_channel_is_never_taken() -> None:
    worst = np.random.default_rng(1).integers(0, 4, 30000)
    found = wanted(discard_worst=True).channel(np.full(30000, 4), worst)
    assert not (found == worst).any()
    assert found.min() == 0 and found.max() == 3


def test_the_mixture_stays_where_the_worst_is_left_out() -> None:
    found = wanted(discard_worst=True, mixture=True).channel(np.full(30000, 4), np.zeros(30000, np.int64))
    assert shares(found, [-1, 0, 1, 2, 3]) == pytest.approx([0.25, 0, 0.25, 0.25, 0.25], abs=0.01)
