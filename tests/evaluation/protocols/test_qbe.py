"""Query by example against scikit-learn's average precision on the same trials."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation import query_by_example
from soundviews.evaluation.protocols import qbe


def with_scikit_learn(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Per-class average precision over trials listed one by one, equal similarities made exactly equal."""
    unit = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    result = np.full(labels.shape[1], np.nan)
    for index in range(labels.shape[1]):
        truth, similarity = [], []
        for a in range(len(unit)):
            for b in range(a + 1, len(unit)):
                if labels[a, index] or labels[b, index]:
                    truth.append(labels[a, index] and labels[b, index])
                    similarity.append(round(float(unit[a] @ unit[b]), 9))
        if any(truth) and not all(truth):
            result[index] = average_precision_score(truth, similarity)
    return result


def multi_label(rng: np.random.Generator, clips: int, classes: int) -> np.ndarray:
    return rng.random((clips, classes)) < rng.uniform(0.05, 0.5, classes)


def test_equals_scikit_learn_on_multi_label_clips():
    rng = np.random.default_rng(0)
    labels = multi_label(rng, 60, 7)
    vectors = rng.standard_normal((60, 8)).astype(np.float32) + labels @ rng.standard_normal((7, 8))
    result = query_by_example(vectors, labels)
    expected = with_scikit_learn(vectors, labels)
    assert np.abs(result.per_class_ap - expected).max() < 1e-6
    assert result.map == pytest.approx(expected.mean(), abs=1e-6)


def test_ties_share_one_threshold():
    rng = np.random.default_rng(1)
    prototypes = rng.standard_normal((5, 6)).astype(np.float32)
    vectors = prototypes[rng.integers(5, size=50)] * rng.choice([0.5, 1, 4], (50, 1)).astype(np.float32)
    labels = rng.random((50, 4)) < 0.3
    expected = with_scikit_learn(vectors, labels)
    assert np.abs(query_by_example(vectors, labels).per_class_ap - expected).max() < 1e-6


def test_classes_larger_than_a_block(monkeypatch):
    rng = np.random.default_rng(2)
    vectors, labels = rng.integers(-2, 3, (70, 3)) + 0.5, multi_label(rng, 70, 5)
    expected = query_by_example(vectors, labels, threads=1)
    monkeypatch.setattr(qbe, "BLOCK", 70 * 3)
    assert np.array_equal(query_by_example(vectors, labels, threads=2).per_class_ap, expected.per_class_ap)
    assert np.abs(expected.per_class_ap - with_scikit_learn(vectors, labels)).max() < 1e-6


def test_classes_without_trials_are_left_out_of_the_mean():
    vectors = np.random.default_rng(3).standard_normal((6, 4))
    labels = np.zeros((6, 4), dtype=bool)
    labels[:3, 0] = labels[0, 1] = labels[:, 2] = True  # three clips; one, so no target; all, so no non-target
    result = query_by_example(vectors, labels)
    assert np.isnan(result.per_class_ap[1:]).all()
    assert result.map == result.per_class_ap[0]
    assert np.isnan(query_by_example(vectors, labels[:, 1:]).map)


def test_perfect_and_silent_embeddings():
    labels = np.repeat(np.eye(3, dtype=bool), 4, axis=0)
    assert query_by_example(labels.astype(float), labels).map == 1.0
    # all-zero vectors tie everywhere: precision is the share of targets, 6 of 6 + 4 * 8
    assert query_by_example(np.zeros((12, 5)), labels).map == pytest.approx(6 / 38)


@pytest.mark.parametrize(
    ("vectors", "labels"),
    [(np.full((3, 2), np.nan), np.ones((3, 1))), (np.ones((3, 2)), np.ones((2, 1))), (np.ones(3), np.ones((3, 1)))],
)
def test_wrong_arrays_are_errors(vectors, labels):
    with pytest.raises(SoundviewsError):
        query_by_example(vectors, labels)
