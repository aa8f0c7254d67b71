"""Query by example: do clips of a class lie nearer to each other than to others (ssep, section 4.1)?

The paper's small subset of AudioSet has about 100 clips rated present and as many rated not present for each class, and
its non-target trials are pairs of the two: chance is about a third. `retrieval` ranks the pairs of a class among those
with all other clips, which is what an archive asks; chance is there about the share of the class's clips.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from soundviews.core.errors import SoundviewsError
from soundviews.core.extras import naming_extras
from soundviews.evaluation.embeddings import Embeds, chosen_pool
from soundviews.evaluation.score import Score, gives, protocols
from soundviews.evaluation.tasks import Task
from soundviews.model.pooling import Pool

# Similarities are float64 products rounded to multiples of 2**-24, the spacing of float32 just below 1. Equal
# pairs then tie, as they should (a float32 product differs in the last bits with its place in the matrix), and
# the scores sort as int32.
SCALE = 2.0**12  # of each of the two vectors
NEVER = np.iinfo(np.int32).min  # below every similarity: not a trial
DRAWS = 10  # of the clips that are not of a class
BLOCK = 8_000_000  # similarities held at once by each thread; 12 bytes each


class QbeResult(NamedTuple):
    """per_class_ap: float64 (classes,), NaN for a class without target or non-target trials; map: their mean.

    chance: The mean share of target trials among all of a class's, which is what a random ranking gets.
    """

    per_class_ap: NDArray[np.float64]
    map: float
    chance: float


def query_by_example(
    embeddings: ArrayLike,
    labels: ArrayLike,
    not_present: ArrayLike | None = None,
    threads: int | None = None,
    on_class: Callable[[], Any] | None = None,
) -> QbeResult:
    """Average precision of ranking target over non-target trials by cosine distance, for each class.

    Target trials of a class are all unordered pairs of two clips that have it, non-target trials all pairs of a
    clip that has it and one of those in which it is not present. Ties share one threshold, as in scikit-learn's average
    precision.

    Args:
        embeddings: (clips, dim), finite. An all-zero vector has similarity 0 to everything.
        labels: bool (clips, classes).
        not_present: bool (clips, classes), the clips that make a class's non-target trials; by default all that have
            not its label.
        threads: Default: the cores this process may use. Each holds about 100 MB, and 12 bytes for each target
            pair of the largest class.
        on_class: Called after each class, from any thread.

    Raises:
        SoundviewsError: for arrays of other shapes or values that are not finite.
    """
    vectors, present = np.asarray(embeddings, dtype=np.float64), np.asarray(labels, dtype=bool)
    absent = ~present if not_present is None else np.asarray(not_present, dtype=bool)
    with naming_extras():
        from threadpoolctl import threadpool_limits

    if vectors.ndim != 2 or present.ndim != 2 or len(vectors) != len(present) or present.shape != absent.shape:
        raise SoundviewsError(
            "embeddings are (clips, dim), labels and not_present (clips, classes), not "
            f"{vectors.shape}, {present.shape} and {absent.shape}"
        )
    if (present & absent).any():
        raise SoundviewsError("a class is either present in a clip or not: not_present and labels name the same clip")
    if not np.isfinite(vectors).all():
        raise SoundviewsError("some embeddings are NaN or infinite")
    scaled = vectors * (SCALE / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300))
    sizes, others = present.sum(axis=0), absent.sum(axis=0)
    average_precision = np.full(len(sizes), np.nan)
    blocks = _Blocks(scaled, rows=int(max(1, min(BLOCK // max(len(scaled), 1), sizes.max(initial=1)))))

    def one_class(index: int) -> None:
        members = np.flatnonzero(present[:, index])
        drawn = None if not_present is None else np.flatnonzero(absent[:, index])
        average_precision[index] = _class_average_precision(blocks, members, drawn)
        if on_class:
            on_class()

    judged = [i for i in np.argsort(-sizes, kind="stable") if sizes[i] >= 2 and others[i]]  # the slow ones first
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads or usable_cores()) as pool:
        list(pool.map(one_class, judged))
    if not judged:
        return QbeResult(average_precision, float("nan"), float("nan"))
    targets = sizes[judged] * (sizes[judged] - 1) / 2
    chance = targets / (targets + sizes[judged] * others[judged])
    return QbeResult(average_precision, float(average_precision[judged].mean()), float(chance.mean()))


@protocols.register("qbe")
@gives(single_label=("mAP",), several_labels=("mAP",), trains=False)
def qbe(model: Embeds, task: Task, seed: int = 0, space: str = "h", pool: Pool = "auto", draws: int = DRAWS) -> Score:
    """Query by example among the test clips, with the paper's trials. Trains nothing.

    A class's non-target trials are with as many clips as have it, in which it is not present: those that the corpus
    lists as such, else drawn at random among all that have not its label.

    Args:
        space: "h", or "z" for the head's projections.
        pool: How the embeddings of a clip's windows become one: "mean", "loudness" (windows weighted by their power to
            the 0.3), "max" or "mean+max+std"; "auto" is what the bundle says, else the mean as in the paper.
        draws: How often the clips are drawn; the average precisions are their means. They are drawn alike for every
            encoder and seed, so that all are judged by the same trials.
    """
    if draws < 1:
        raise SoundviewsError(f"draws are 1 or more, not {draws}")
    vectors, labels, details = _test_clips(model, task, space, pool)
    rng = np.random.default_rng(draws)
    results = [query_by_example(vectors, labels, _as_many_others(labels, rng)) for _ in range(draws)]
    every = np.mean([result.per_class_ap for result in results], axis=0)
    details |= {"chance": results[0].chance, "draws": draws, "trials": "each class against as many clips without it"}
    return _score(task, QbeResult(every, float(np.nanmean(every)), results[0].chance), details)


@protocols.register("retrieval")
@gives(single_label=("mAP",), several_labels=("mAP",), trains=False)
def retrieval(model: Embeds, task: Task, seed: int = 0, space: str = "h", pool: Pool = "auto") -> Score:
    """Query by example among all test clips: each class's pairs ranked among those with all other clips.

    Args: as for `qbe`.
    """
    vectors, labels, details = _test_clips(model, task, space, pool)
    result = query_by_example(vectors, labels)
    details |= {"chance": result.chance, "trials": "each class against all clips without it"}
    return _score(task, result, details)


def _test_clips(
    model: Embeds, task: Task, space: str, pool: Pool
) -> tuple[NDArray[np.float32], NDArray[np.bool_], dict[str, Any]]:
    """Vectors (clips, dim) and labels (clips, classes) of the test clips that can be read; the settings."""
    task.require("query by example", "test")
    embeddings, how = task.embed(model, space), chosen_pool(model, pool)
    test = task.test[embeddings.kept[task.test]]
    labels = task.corpus.label_matrix()[test]
    sizes = labels.sum(axis=0)
    if not ((sizes >= 2) & (sizes < len(labels))).any():
        raise SoundviewsError("query by example needs a class that two test clips have and another has not")
    return embeddings.clip_vectors(how)[test], labels, {"space": space, "pool": how, "clips": len(test)}


def _as_many_others(labels: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """For each class as many clips without it as with it, drawn, bool (clips, classes); all where there are fewer."""
    others = np.zeros_like(labels)
    for index, present in enumerate(labels.T):
        absent = np.flatnonzero(~present)
        others[rng.choice(absent, min(int(present.sum()), len(absent)), replace=False), index] = True
    return others


def _score(task: Task, result: QbeResult, details: dict[str, Any]) -> Score:
    return Score({"mAP": result.map}, task.by_class(result.per_class_ap), details, deterministic=True)


def usable_cores() -> int:
    """Cores this process may run on, which a container or a batch system may have restricted."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Blocks:
    """Similarities of some clips to others, in memory that each thread reuses (fresh pages cost more than
    the product itself)."""

    def __init__(self, scaled: NDArray[np.float64], rows: int) -> None:
        self.scaled, self.rows, self._local = scaled, rows, threading.local()

    def between(self, rows: NDArray[np.int64], columns: NDArray[np.int64] | None) -> NDArray[np.int32]:
        """Similarities in multiples of 2**-24, int32 (rows, columns), valid until the thread's next call.

        Args:
            columns: Clips; None for all.
        """
        if not hasattr(self._local, "product"):
            size = self.rows * len(self.scaled)
            self._local.product, self._local.similarity = np.empty(size), np.empty(size, dtype=np.int32)
        others = self.scaled if columns is None else self.scaled[columns]
        shape = len(rows), len(others)
        product, similarity = (
            memory[: shape[0] * shape[1]].reshape(shape) for memory in (self._local.product, self._local.similarity)
        )
        np.matmul(self.scaled[rows], others.T, out=product)
        np.copyto(similarity, np.rint(product, out=product), casting="unsafe")
        return similarity

    def among(self, members: NDArray[np.int64]) -> NDArray[np.int32]:
        """Similarities of all unordered pairs of `members`, int32 (pairs,)."""
        vectors, parts = self.scaled[members], []
        for first in range(0, len(members), self.rows):
            rows = np.arange(first, min(first + self.rows, len(members)))
            later = np.arange(len(members))[None] > rows[:, None]
            parts.append(np.rint(vectors[rows] @ vectors.T)[later].astype(np.int32))
        return np.concatenate(parts)


def _class_average_precision(blocks: _Blocks, members: NDArray[np.int64], others: NDArray[np.int64] | None) -> float:
    """Only the targets' ranks are needed: count, block by block, the non-targets at or above each target.

    Args:
        others: The clips of the non-target trials; None for all that are no members.
    """
    values, counts = np.unique(blocks.among(members), return_counts=True)
    targets_above = counts[::-1].cumsum()[::-1]
    others_above = np.zeros(len(values), dtype=np.int64)
    for first in range(0, len(members), blocks.rows):
        similarity = blocks.between(members[first : first + blocks.rows], others)
        if others is None:
            similarity[:, members] = NEVER
        ranked = similarity.reshape(-1)
        ranked.sort()
        others_above += ranked.size - np.searchsorted(ranked, values)
    precision = targets_above / (targets_above + others_above)
    return float(precision @ counts / counts.sum())
