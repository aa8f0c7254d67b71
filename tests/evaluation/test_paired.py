"""The paired test against enumeration, SciPy and a loop over resamples."""

import itertools

import numpy as np
import pytest
from scipy import stats

from soundviews.evaluation.paired import (
    PERMUTATIONS,
    Pairs,
    class_pairs,
    clip_pairs,
    compare_scores,
    holm,
    paired_test,
)
from soundviews.evaluation.score import Judged, Score, class_accuracies, mean

NOISE = 4 * np.sqrt(0.25 / PERMUTATIONS)  # four standard errors of a p-value


def one_group(values: np.ndarray) -> Pairs:
    return Pairs(values, np.zeros(len(values), dtype=np.int64), np.ones(1), "")


def accuracy(truth: np.ndarray, predicted: np.ndarray, clips: np.ndarray | None = None) -> Score:
    """As the protocols give it where clips have one label."""
    per_class = class_accuracies(truth, predicted, int(truth.max()) + 1)
    judged = Judged(np.arange(len(truth)) if clips is None else clips, truth, np.zeros((len(truth), 1)), predicted)
    named = {str(i): float(v) for i, v in enumerate(per_class) if np.isfinite(v)}
    return Score({"accuracy": mean(per_class)}, named, judged=judged)


def predictions(rng: np.random.Generator, truth: np.ndarray, share: float) -> np.ndarray:
    """Right in `share` of the clips, the next class otherwise."""
    return np.where(rng.random(len(truth)) < share, truth, (truth + 1) % (truth.max() + 1))


def test_p_is_that_of_all_sign_flips() -> None:
    rng = np.random.default_rng(0)
    group = np.array([0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2])
    values, weight = rng.integers(-2, 4, len(group)) / 3, np.array([0.5, 0.3, 0.2])
    each = (weight / np.bincount(group))[group] * values
    every = np.array([np.dot(signs, each) for signs in itertools.product((1, -1), repeat=len(group))])
    found = paired_test(Pairs(values, group, weight, ""))
    assert found.difference == pytest.approx(each.sum())
    exact = np.mean(np.abs(every) >= abs(each.sum()) - 1e-12)
    assert 0.05 < exact < 0.6 and found.p == pytest.approx(exact, abs=NOISE)


def test_p_agrees_with_scipy() -> None:
    first, second = np.random.default_rng(1).normal([[0.4], [0.46]], 0.15, (2, 40))
    found = paired_test(one_group(second - first))
    theirs = stats.permutation_test(
        (second, first),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=10_000,
        rng=np.random.default_rng(2),
    )
    assert found.p == pytest.approx(theirs.pvalue, abs=2 * NOISE)
    assert found.p == pytest.approx(stats.ttest_rel(first, second).pvalue, abs=0.02)


def test_p_of_right_and_wrong_in_one_class_is_mcnemars() -> None:
    values = np.repeat([1.0, -1.0, 0.0], [19, 8, 60])
    assert paired_test(one_group(values)).p == pytest.approx(stats.binomtest(8, 27).pvalue, abs=NOISE)


def test_interval_is_that_of_a_loop_over_resamples() -> None:
    rng = np.random.default_rng(3)
    group = np.repeat([0, 1, 2], [12, 30, 7])
    values, weight = rng.integers(-1, 2, len(group)) * 1.0, np.array([0.25, 0.25, 0.5])
    draws = []
    for _ in range(6000):
        drawn = [rng.choice(values[group == name], np.sum(group == name)).mean() for name in range(3)]
        draws.append(np.dot(drawn, weight))
    found = paired_test(Pairs(values, group, weight, ""))
    np.testing.assert_allclose([found.low, found.high], np.percentile(draws, [2.5, 97.5]), atol=0.02)


def test_systems_that_are_right_on_the_same_clips_do_not_differ() -> None:
    assert paired_test(one_group(np.zeros(10)))[:4] == (0, 0, 0, 1)


def test_false_alarms_are_as_rare_as_they_say() -> None:
    rng, truth = np.random.default_rng(4), np.repeat(np.arange(4), 15)
    alike = [[[accuracy(truth, predictions(rng, truth, 0.6))]] for _ in range(160)]
    found = [compare_scores(*pair).p for pair in zip(alike[::2], alike[1::2], strict=True)]
    assert 0 < np.mean(np.array(found) < 0.1) < 0.2


def test_difference_is_that_of_the_rows_over_seeds_and_folds() -> None:
    rng = np.random.default_rng(5)
    truths = [np.repeat(np.arange(5), rng.integers(2, 9, 5)), np.repeat(np.arange(4), 6)]
    first = [[accuracy(truth, predictions(rng, truth, 0.5)) for truth in truths] for _ in range(2)]
    second = [[accuracy(truth, predictions(rng, truth, 0.8)) for truth in truths] for _ in range(3)]
    found = clip_pairs(first, second)
    values = [np.mean([score.value for row in scores for score in row]) for scores in (first, second)]
    assert paired_test(found).difference == pytest.approx(values[1] - values[0])
    assert found.over == f"{len(truths[0]) + 24} test clips" and found.weight.sum() == pytest.approx(1)
    assert set(np.unique(found.values * 6).round(9)) <= set(range(-6, 7))


def test_clips_that_one_could_not_read_are_left_out_for_both() -> None:
    truth, right = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
    wrong = 1 - right
    first = [[accuracy(truth, right)]]
    rows = np.array([5, 0, 3, 1])  # in any order
    second = [[accuracy(truth[rows], wrong[rows], clips=rows)]]
    found = clip_pairs(first, second)
    assert found.over == "4 test clips"
    assert found.values.tolist() == [-1] * 4 and found.group.tolist() == [0, 0, 1, 1]


def test_other_metrics_are_paired_over_the_classes_both_have() -> None:
    first = [[Score({"mAP": 0.3}, {"a": 0.2, "b": 0.4})], [Score({"mAP": 0.4}, {"a": 0.4, "b": 0.4})]]
    second = [[Score({"mAP": 0.6}, {"b": 0.5, "a": 0.7, "c": 0.9})]]
    found = class_pairs(first, second)
    np.testing.assert_allclose(found.values, [0.4, 0.1])
    result = compare_scores(first, second)
    assert result is not None and result.over == "2 classes" and result.difference == pytest.approx(0.25)
    assert result.p == pytest.approx(0.5, abs=NOISE)  # two of the four sign flips are as large


def test_invariance_is_paired_over_transformations() -> None:
    scores = [[[Score({"invariance": v}, {"room": v, "noise": 0.0, "masks": 0.5})]] for v in (0.2, 0.6)]
    assert class_pairs(*scores).over == "3 transformations"


def test_one_class_cannot_be_tested() -> None:
    assert compare_scores([[Score({"mAP": 0.3}, {"a": 0.3})]], [[Score({"mAP": 0.5}, {"a": 0.5})]]) is None


def test_many_clips_and_levels_are_drawn_in_blocks() -> None:
    rng = np.random.default_rng(6)
    group = np.arange(6_000) % 200
    values = rng.integers(-10, 12, len(group)) / 10
    found = paired_test(Pairs(values, group, np.full(200, 1 / 200), ""))
    error = values.std() / np.sqrt(len(values))
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.25 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.25 * error)
    assert found.p == 1 / (PERMUTATIONS + 1)


def test_holm_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == []


def test_figures_stay_the_same_to_the_last_digit() -> None:
    """As they were computed before clips were paired by row of the corpus."""
    rng = np.random.default_rng(11)
    truths = [np.repeat(np.arange(5), [7, 3, 9, 4, 6]), np.repeat(np.arange(4), 6)]
    kept = [rng.permutation(len(truth))[: len(truth) - 2] for truth in truths]
    first = [[accuracy(truth, predictions(rng, truth, 0.5)) for truth in truths] for _ in range(2)]
    second = [
        [
            accuracy(truth[rows], predictions(rng, truth, 0.8)[rows], rows)
            for truth, rows in zip(truths, kept, strict=True)
        ]
        for _ in range(3)
    ]
    between = (0.2433531746031746, 0.13739335317467763, 0.34653521825403655, 0.00029997000299970003)
    assert compare_scores(first, second) == (*between, "49 test clips")
    of_classes = [
        [
            [Score({"mAP": float(np.mean(values))}, dict(zip("abcdefgh", values.tolist(), strict=True)))]
            for values in drawn
        ]
        for drawn in rng.random((2, 2, 8))
    ]
    between = (0.000653024708809978, -0.2460830785084906, 0.2115257244443375, 1.0)
    assert compare_scores(*of_classes) == (*between, "8 classes")
