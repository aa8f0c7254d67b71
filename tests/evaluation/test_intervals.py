"""Intervals against scipy's and against the binomial's own quantiles."""

import numpy as np
import pytest
from scipy import stats

from soundviews.evaluation.intervals import bootstrap, over_repetitions, student_t
from soundviews.evaluation.score import Judged, Score


def test_student_t_equals_scipy():
    values = [0.61, 0.64, 0.6, 0.66]
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    interval = student_t(values, "4 seeds")
    assert (interval.low, interval.high) == pytest.approx((low, high))
    assert "4 seeds" in interval.over


def test_bootstrap_of_one_class_is_binomial():
    true, predicted = np.zeros(100, dtype=np.int64), np.repeat([0, 1], [70, 30])
    interval = bootstrap(
        Score({"accuracy": 0.7}, {"a": 0.7}, judged=Judged(np.arange(100), true, np.zeros((100, 2)), predicted))
    )
    assert interval is not None
    assert interval.low == pytest.approx(stats.binom.ppf(0.025, 100, 0.7) / 100, abs=0.011)
    assert interval.high == pytest.approx(stats.binom.ppf(0.975, 100, 0.7) / 100, abs=0.011)
    assert "clips" in interval.over


def test_bootstrap_over_classes_where_no_clip_was_classified():
    interval = bootstrap(Score({"mAP": 0.5}, {"a": 0.2, "b": 0.8}))
    assert interval is not None and (interval.low, interval.high) == pytest.approx((0.2, 0.8))
    assert "classes" in interval.over
    assert bootstrap(Score({"mAP": 0.5}, {"a": 0.5})) is None


def test_repetitions_are_pretrainings_before_seeds_before_folds():
    values = np.random.default_rng(0).random((3, 2, 4))  # pretrainings, seeds, folds
    runs = [
        {"run": f"r{run}", "seed": seed, "task": f"fold {fold}", "macro_f1": values[run, seed, fold]}
        for run, seed, fold in np.ndindex(values.shape)
    ]
    of_one = {"runs": runs, "seeds": runs[:8], "folds": runs[:4]}
    expected = {"runs": values.mean((1, 2)), "seeds": values[0].mean(1), "folds": values[0, 0]}
    for words, given in of_one.items():
        interval, wanted = over_repetitions(given, "macro_f1"), student_t(expected[words].tolist(), "")
        assert interval is not None and interval[:2] == pytest.approx(wanted[:2])
        assert interval.over == f"Student t over {len(expected[words])} {words}"
    assert over_repetitions(runs[:1], "macro_f1") is None
