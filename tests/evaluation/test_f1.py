"""F1, precision, thresholds and confusions against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_curve, precision_score

from soundviews.evaluation.f1 import best_thresholds, class_f1, confusion, counts, f1_metrics
from soundviews.evaluation.score import Judged


def one_label(clips: int = 200, classes: int = 6) -> Judged:
    """Class 5 is nobody's, but predicted; class 4 is never predicted."""
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, classes - 1, clips), rng.random((clips, classes)).astype(np.float32)
    scores[np.arange(clips), truth] += 0.3
    scores[:, 4] = 0
    return Judged(np.arange(clips), truth, scores, scores.argmax(axis=1))


def several_labels(clips: int = 150, classes: int = 7) -> Judged:
    """Some clips have no label; class 6 is nobody's, but predicted; class 5 is never predicted."""
    rng = np.random.default_rng(1)
    truth = rng.random((clips, classes)) < np.linspace(0.1, 0.6, classes)
    truth[:, 6] = False
    scores = (0.4 * truth + rng.random((clips, classes))).astype(np.float32)
    predicted = scores >= 0.7
    predicted[:, 5] = False
    return Judged(np.arange(clips), truth, scores, predicted)


@pytest.mark.parametrize("judged", [one_label(), several_labels()], ids=["one label", "several"])
def test_f1_and_precision_are_scikit_learns(judged: Judged) -> None:
    classes = judged.scores.shape[1]
    common = {"labels": list(range(classes)), "zero_division": 0}
    expected = f1_score(judged.truth, judged.predicted, average=None, **common)
    found, per_class = f1_metrics(counts(judged)), class_f1(counts(judged))
    assert np.isnan(per_class[-1])  # no clip has the last class
    np.testing.assert_allclose(per_class[:-1], expected[:-1])
    assert found["macro_f1"] == pytest.approx(expected[:-1].mean())
    assert found["micro_f1"] == pytest.approx(f1_score(judged.truth, judged.predicted, average="micro", **common))
    weighted = precision_score(judged.truth, judged.predicted, average="weighted", **common)
    assert found["weighted_precision"] == pytest.approx(weighted)


def test_a_clip_without_a_prediction_is_missed() -> None:
    judged = one_label()
    judged.predicted[:50] = -1
    expected = f1_score(judged.truth, judged.predicted, average=None, labels=range(5), zero_division=0)
    np.testing.assert_allclose(class_f1(counts(judged))[:5], expected)
    assert confusion(judged).sum() == 150


def test_nothing_predicted_and_nothing_there_give_no_division_by_zero() -> None:
    nothing = np.zeros((3, 2), dtype=bool)
    found = f1_metrics(counts(Judged(np.arange(3), nothing, np.zeros((3, 2), np.float32), nothing)))
    assert np.isnan(found["macro_f1"]) and found["micro_f1"] == 0 and found["weighted_precision"] == 0


@pytest.mark.parametrize("levels", [1000, 7, 2])
def test_thresholds_have_the_highest_f1_of_all(levels: int) -> None:
    """Against every point of scikit-learn's curve; few levels make many ties."""
    rng = np.random.default_rng(2)
    truth = rng.random((80, 5)) < (0.05, 0.2, 0.5, 0.9, 1.0)
    scores = (rng.integers(levels, size=truth.shape) / levels + 0.3 * truth).astype(np.float32)
    thresholds = best_thresholds(truth, scores)
    for own, values, threshold in zip(truth.T, scores.T, thresholds, strict=True):
        precision, recall, candidates = precision_recall_curve(own, values)
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        assert f1_score(own, values >= threshold) == pytest.approx(f1.max())
        assert threshold == pytest.approx(max(candidates[np.isclose(f1[:-1], f1.max())]))


def test_a_class_without_a_positive_clip_has_no_threshold() -> None:
    truth = np.array([[True, False], [False, False]])
    scores = np.array([[0.2, 0.9], [0.1, 0.8]], dtype=np.float32)
    np.testing.assert_array_equal(best_thresholds(truth, scores), np.array([0.2, np.nan], dtype=np.float32))
    assert np.isnan(best_thresholds(truth[:0], scores[:0])).all()


def test_confusions_of_one_label_are_scikit_learns() -> None:
    judged = one_label()
    expected = confusion_matrix(judged.truth, judged.predicted, labels=range(6))
    np.testing.assert_array_equal(confusion(judged), expected)


def test_confusions_of_several_labels_take_the_highest_score_for_each_true_label() -> None:
    truth = np.array([[True, True, False], [False, False, True], [False, False, False]])
    scores = np.array([[0.1, 0.3, 0.2], [0.8, 0.1, 0.7], [0.9, 0.0, 0.0]], dtype=np.float32)
    found = confusion(Judged(np.arange(3), truth, scores, scores > 0.5))
    np.testing.assert_array_equal(found, [[0, 1, 0], [0, 1, 0], [1, 0, 0]])
