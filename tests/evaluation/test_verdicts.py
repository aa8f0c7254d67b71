"""A difference is shown only by the paired test or, without one, by intervals that are apart."""

from dataclasses import replace

import numpy as np
import pytest

from soundviews.evaluation.paired import compare_scores
from soundviews.evaluation.result import Row
from soundviews.evaluation.score import Judged, Score
from soundviews.evaluation.verdicts import verdicts


def row(system: str, right: float = 0.5, clips: int = 200, **changes) -> Row:
    """A row that has this share of its clips, of two classes, right, always the first ones."""
    truth = np.arange(clips) % 2
    wrong = np.arange(clips) >= right * clips
    judged = Judged(np.arange(clips), truth, np.zeros((clips, 2), np.float32), np.where(wrong, 1 - truth, truth))
    scores = [[Score({"accuracy": right}, {"a": right, "b": right}, judged=judged)]]
    made = Row(system, "knn", {}, "accuracy", right, None, None, "", {}, {}, {}, [], 1.0, scores=scores)
    return replace(made, **changes)


def test_the_paired_test_decides() -> None:
    mine = row("mine", 0.6)
    near, far = verdicts(mine, [row("near", 0.59), row("far", 0.4)])
    assert (near.decided, far.decided) == (False, True)
    assert far.difference == pytest.approx(0.2)
    test = compare_scores(row("far", 0.4).scores, mine.scores)
    assert test is not None and far.p == pytest.approx(2 * test.p)  # Holm: the smaller of two


def test_p_values_that_are_told_already_stay() -> None:
    told, corrected = verdicts(row("mine", 0.6), [row("told", 0.1), row("other", 0.1)], {"told": 0.31})
    assert (told.p, told.decided) == (0.31, False)
    assert corrected.decided and corrected.p is not None and corrected.p < 0.001


@pytest.mark.parametrize(("low", "high", "decided"), [(0.2, 0.4, True), (0.2, 0.55, False), (None, None, False)])
def test_without_scores_intervals_decide(low: float | None, high: float | None, decided: bool) -> None:
    mine = row("mine", 0.6, low=0.5, high=0.7, scores=[])
    (verdict,) = verdicts(mine, [row("other", 0.3, low=low, high=high, scores=[])])
    assert (verdict.p, verdict.decided) == (None, decided)


@pytest.mark.parametrize(("high", "decided"), [(0.55, False), (0.45, True)])
def test_several_pretrainings_must_be_apart_as_well(high: float, decided: bool) -> None:
    runs = [{"run": "1", "accuracy": 0.1}, {"run": "2", "accuracy": 0.2}]
    mine = row("mine", 0.6, low=0.5, high=0.7, runs=runs)
    (verdict,) = verdicts(mine, [row("other", 0.2, low=0.1, high=high, runs=runs)])
    assert verdict.p is not None and verdict.p < 0.001
    assert verdict.decided == decided
