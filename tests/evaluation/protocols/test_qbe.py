"""Query by example against scikit-learn's average precision on the same trials."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation import open_tasks, query_by_example
from soundviews.evaluation.protocols import qbe
from soundviews.model.pooling import loudness_weights


def with_scikit_learn(vectors: np.ndarray, labels: np.ndarray, absent: np.ndarray | None = None) -> np.ndarray:
    """Per-class average precision over trials listed one by one, equal similarities made exactly equal."""
    absent = ~labels if absent is None else absent
    unit = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    result = np.full(labels.shape[1], np.nan)
    for index in range(labels.shape[1]):
        truth, similarity = [], []
        for a in range(len(unit)):
            for b in range(a + 1, len(unit)):
                either = (labels[a, index], labels[b, index]), (absent[a, index], absent[b, index])
                if all(either[0]) or (any(either[0]) and any(either[1])):
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


def test_only_the_clips_rated_not_present_make_non_target_trials():
    rng = np.random.default_rng(4)
    labels = multi_label(rng, 50, 6)
    absent = ~labels & (rng.random(labels.shape) < 0.3)
    vectors = rng.standard_normal((50, 8)) + labels @ rng.standard_normal((6, 8))
    result = query_by_example(vectors, labels, absent)
    assert np.abs(result.per_class_ap - with_scikit_learn(vectors, labels, absent)).max() < 1e-6
    assert result.chance < result.map < 1


def test_a_clip_is_not_both_present_and_not():
    with pytest.raises(SoundviewsError, match="the same clip"):
        query_by_example(np.ones((3, 2)), np.eye(3, 2), np.eye(3, 2))


def test_chance_is_what_a_random_ranking_gets():
    labels = np.repeat(np.eye(10, dtype=bool), 24, axis=0)
    vectors = np.random.default_rng(5).standard_normal((240, 3))
    everything = query_by_example(vectors, labels)
    assert everything.chance == pytest.approx(23 / 2 / (23 / 2 + 216))
    assert everything.map == pytest.approx(everything.chance, rel=0.15)


def test_the_papers_trials_are_with_as_many_clips_and_the_same_for_every_encoder(tones, tiny_model):
    (task,) = open_tasks(tones, test_folds=[4], labelled=True)
    score = qbe.qbe(tiny_model, task, draws=3)
    sizes = task.corpus.label_matrix()[task.test].sum(axis=0)
    assert score.details["chance"] == pytest.approx(np.mean((sizes - 1) / 2 / ((sizes - 1) / 2 + sizes)))
    assert score.metrics == qbe.qbe(tiny_model, task, seed=1, draws=3).metrics
    everything = qbe.retrieval(tiny_model, task)
    assert everything.details["chance"] < score.details["chance"]
    assert everything.metrics["mAP"] <= score.metrics["mAP"]


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


def test_windows_are_pooled_by_loudness_where_it_is_asked_for(tones, tiny_model):
    (task,) = open_tasks(tones, test_folds=[4], labelled=True)
    embeddings, labels = task.embed(tiny_model), task.corpus.label_matrix()
    assert np.bincount(embeddings.clip).max() > 1
    weights = np.concatenate(
        [loudness_weights(embeddings.power[embeddings.clip == clip]) for clip in range(len(labels))]
    )
    pooled = np.zeros((len(labels), 512))
    np.add.at(pooled, embeddings.clip, embeddings.vectors * weights[:, None])
    expected = query_by_example(pooled[task.test], labels[task.test]).map
    assert qbe.retrieval(tiny_model, task, pool="loudness").metrics["mAP"] == pytest.approx(expected, abs=1e-6)
    plain = qbe.retrieval(tiny_model, task)
    assert plain.details["pool"] == "mean"
    assert plain.metrics["mAP"] == query_by_example(embeddings.clip_means()[task.test], labels[task.test]).map
