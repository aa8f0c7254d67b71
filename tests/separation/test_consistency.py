"""Mixture consistency against the values of the authors' code."""

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.separation import mixture_consistency

MIXTURE = torch.tensor([1.0, 2, 3, 4])
ESTIMATES = torch.tensor([[1.0, 1, 1, 1], [0, 2, 0, 2], [0.5, 0.5, 0.5, 0.5]])
UNIFORM = [[0.8333333, 0.5, 1.5, 1.1666667], [-0.1666667, 1.5, 0.5, 2.1666667], [0.3333333, 0, 1, 0.6666667]]
MAGSQ = [
    [0.846154, 0.538462, 1.461538, 1.153846],
    [-0.307692, 1.076923, 0.923077, 2.307692],
    [0.461538, 0.384615, 0.615385, 0.538462],
]
GIVEN = [[0.75, 0.25, 1.75, 1.25], [-0.15, 1.55, 0.45, 2.15], [0.4, 0.2, 0.8, 0.6]]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (None, UNIFORM),
        ("uniform", UNIFORM),
        ("magsq", MAGSQ),
        (torch.tensor([0.5, 0.3, 0.2]), GIVEN),
        (torch.tensor([5.0, 3.0, 2.0]), GIVEN),
    ],
)
def test_golden_values(weights: torch.Tensor | str | None, expected: list[list[float]]) -> None:
    consistent = mixture_consistency(ESTIMATES, MIXTURE, weights)
    # The values are given to six or seven digits, and four sums of numbers up to 4 round by up to 5e-7 each.
    torch.testing.assert_close(consistent, torch.tensor(expected), rtol=0, atol=3e-6)
    torch.testing.assert_close(consistent.sum(0), MIXTURE)


def test_each_example_has_its_weights() -> None:
    estimates, mixture = torch.randn(4, 3, 20), torch.randn(4, 20)
    weights = torch.rand(4, 3)
    together = mixture_consistency(estimates, mixture, weights)
    for i in range(4):
        torch.testing.assert_close(together[i], mixture_consistency(estimates[i], mixture[i], weights[i]))


def test_silent_estimates_share_the_mixture_equally_by_power() -> None:
    consistent = mixture_consistency(torch.zeros(2, 4), MIXTURE, "magsq")
    torch.testing.assert_close(consistent, MIXTURE.expand(2, 4) / 2)


def test_errors() -> None:
    with pytest.raises(SoundviewsError, match="does not fit"):
        mixture_consistency(ESTIMATES, MIXTURE[:3])
    with pytest.raises(SoundviewsError, match="for 3 sources"):
        mixture_consistency(ESTIMATES, MIXTURE, torch.ones(2))
    with pytest.raises(SoundviewsError, match="uniform, magsq"):
        mixture_consistency(ESTIMATES, MIXTURE, "power")  # type: ignore[arg-type]
