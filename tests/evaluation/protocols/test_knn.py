"""Nearest neighbours against a loop over patches, and the rules for ties and exclusion."""

import numpy as np
import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation import evaluate, knn_predict, open_tasks
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.protocols import knn


def by_loop(vectors: np.ndarray, clip: np.ndarray, targets: np.ndarray, k: int) -> tuple[list[int], list[int]]:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    patches, clips = [], []
    for i in range(len(unit)):
        others = [j for j in range(len(unit)) if clip[j] != clip[i]]
        nearest = sorted(others, key=lambda j: -float(unit[i] @ unit[j]))[:k]
        patches.append(int(np.bincount(targets[clip[nearest]]).argmax()))
    for c in range(len(targets)):
        own = [patches[i] for i in range(len(unit)) if clip[i] == c]
        clips.append(int(np.bincount(own).argmax()) if own else -1)
    return patches, clips


@pytest.mark.parametrize("block", [knn.BLOCK, 7 * 90])
@pytest.mark.parametrize("k", [1, 5, 30, 500])
def test_equals_a_loop(monkeypatch, block, k):
    monkeypatch.setattr(knn, "BLOCK", block)
    rng = np.random.default_rng(k)
    clip, targets = np.sort(rng.integers(20, size=90)), rng.integers(4, size=21)
    vectors = rng.standard_normal((90, 6)).astype(np.float32) + np.eye(4, 6, dtype=np.float32)[targets[clip]]
    result = knn_predict(vectors, clip, targets, k)
    patches, clips = by_loop(vectors.astype(np.float64), clip, targets, k)
    assert result.patches.tolist() == patches
    assert result.clips.tolist() == clips
    assert result.clips[20] == -1  # it has no patch


def by_the_released_loop(vectors: np.ndarray, clip: np.ndarray, targets: np.ndarray, k: int) -> list[int]:
    """Clip by clip as the released program does: neighbours numbered without the clip, labels of the list with it."""
    unit, labels, clips, first = vectors / np.linalg.norm(vectors, axis=1, keepdims=True), targets[clip], [], 0
    for size in np.bincount(clip, minlength=len(targets)):
        query, others = unit[first : first + size], np.delete(unit, np.s_[first : first + size], axis=0)
        votes = [np.bincount(labels[np.argsort(-(others @ patch))[:k]]).argmax() for patch in query]
        clips.append(int(np.bincount(votes).argmax()) if votes else -1)
        first += size
    return clips


@pytest.mark.parametrize("block", [knn.BLOCK, 7 * 90])
@pytest.mark.parametrize("k", [1, 5, 30])
def test_as_released_reads_the_labels_that_the_released_program_reads(monkeypatch, block, k):
    monkeypatch.setattr(knn, "BLOCK", block)
    rng = np.random.default_rng(k)
    clip, targets = np.sort(rng.integers(20, size=90)), rng.integers(4, size=21)
    vectors = rng.standard_normal((90, 6)).astype(np.float32) + 3 * np.eye(4, 6, dtype=np.float32)[targets[clip]]
    result = knn_predict(vectors, clip, targets, k, as_released=True).clips.tolist()
    assert result == by_the_released_loop(vectors.astype(np.float64), clip, targets, k)
    assert result != knn_predict(vectors, clip, targets, k).clips.tolist()


def test_as_released_is_an_option_that_the_result_names(tones):
    (row,) = evaluate(LogMelStatistics(8000), [open_tasks(tones)[0]], [("knn", {"as_released": True, "k": 1})]).rows
    assert "as the released program reads them" in row.details["note"]


def test_no_patch_of_the_own_clip_votes():
    # both patches of a clip are identical, and nothing else has their class
    vectors, clip = np.array([[1, 0], [1, 0], [0, 1], [0, 1.0]]), np.array([0, 0, 1, 2])
    assert knn_predict(vectors, clip, np.array([0, 1, 1]), k=1).clips.tolist() == [1, 1, 1]


def test_ties_go_to_the_smallest_class():
    vectors, clip = np.array([[1, 0], [1, 0.1], [1, -0.1]]), np.arange(3)
    result = knn_predict(vectors, clip, np.array([0, 3, 2]), k=2)
    assert result.clips[0] == 2


def test_test_clips_that_cannot_be_read_are_told(tones):
    task = open_tasks(tones)[0]
    for clip in task.test:
        open(tones.clip(int(clip)).path, "wb").close()
    with pytest.raises(SoundviewsError, match="none of the 6 test clips is readable"):
        evaluate(LogMelStatistics(8000), [task], [("knn", {"k": 3})])


def test_k_is_fitted_to_a_small_corpus_and_said(tones):
    task = open_tasks(tones)[0]  # 6 test clips of one patch each in 3 classes
    (row,) = evaluate(LogMelStatistics(8000), [task], ["knn"]).rows
    assert row.details["k"] == 1
    assert row.details["note"] == "k = 1 instead of 200: a class has 2 patches on average, the clip's among them"
    assert row.value == 1.0


def test_an_explicit_k_is_kept_and_one_that_is_too_large_is_said(tones):
    task = open_tasks(tones)[0]
    details = [evaluate(LogMelStatistics(8000), [task], [("knn", {"k": k})]).rows[0].details for k in (2, 5)]
    assert [one["k"] for one in details] == [2, 5]
    assert "note" not in details[0]
    assert details[1]["note"] == "k = 5 is more than the 2 patches that a class has on average"


@pytest.mark.parametrize(
    ("patches", "clips", "classes", "k"),
    [
        (17_000, 1_772, 20, 200),  # about what the paper validates on, FSDnoisy18k's clean training set
        (2_000, 400, 50, 35),  # 40 a class, 5 of them the clip's
        (12, 3, 3, 1),  # one clip a class
        (24, 6, 3, 4),
    ],
)
def test_the_fitted_k_counts_the_patches_of_other_clips(patches, clips, classes, k):
    assert knn.fitted_neighbours(patches, clips, classes) == k
