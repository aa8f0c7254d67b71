"""Query by example: do clips of a class lie nearer to each other than to the rest (ssep, section 4.1)?"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from soundviews.core.errors import SoundviewsError
from soundviews.core.extras import naming_extras
from soundviews.evaluation.embeddings import Embeds
from soundviews.evaluation.score import Score, gives, protocols
from soundviews.evaluation.tasks import Task

# Similarities are float64 products rounded to multiples of 2**-24, the spacing of float32 just below 1. Equal
# pairs then tie, as they should (a float32 product differs in the last bits with its place in the matrix), and
# the scores sort as int32.
SCALE = 2.0**12  # of each of the two vectors
NEVER = np.iinfo(np.int32).min  # below every similarity: not a trial
BLOCK = 8_000_000  # similarities held at once by each thread; 12 bytes each


class QbeResult(NamedTuple):
    """per_class_ap: float64 (classes,), NaN for a class without target or non-target trials; map: their mean."""

    per_class_ap: NDArray[np.float64]
    map: float


def query_by_example(
    embeddings: ArrayLike,
    labels: ArrayLike,
    threads: int | None = None,
    on_class: Callable[[], Any] | None = None,
) -> QbeResult:
    """Average precision of ranking target over non-target trials by cosine distance, for each class.

    Target trials of a class are all unordered pairs of two clips that have it, non-target trials all pairs of a
    clip that has it and one that has not. Ties share one threshold, as in scikit-learn's average precision.

    Args:
        embeddings: (clips, dim), finite. An all-zero vector has similarity 0 to everything.
        labels: bool (clips, classes).
        threads: Default: the cores this process may use. Each holds about 100 MB, and 12 bytes for each target
            pair of the largest class.
        on_class: Called after each class, from any thread.

    Raises:
        SoundviewsError: for arrays of other shapes or values that are not finite.
    """
    vectors, present = np.asarray(embeddings, dtype=np.float64), np.asarray(labels, dtype=bool)
    with naming_extras():
        from threadpoolctl import threadpool_limits

    if vectors.ndim != 2 or present.ndim != 2 or len(vectors) != len(present):
        raise SoundviewsError(
            f"embeddings are (clips, dim) and labels (clips, classes), not {vectors.shape} and {present.shape}"
        )
    if not np.isfinite(vectors).all():
        raise SoundviewsError("some embeddings are NaN or infinite")
    scaled = vectors * (SCALE / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300))
    sizes = present.sum(axis=0)
    average_precision = np.full(len(sizes), np.nan)
    blocks = _Blocks(scaled, rows=int(max(1, min(BLOCK // max(len(scaled), 1), sizes.max(initial=1)))))

    def one_class(index: int) -> None:
        average_precision[index] = _class_average_precision(blocks, np.flatnonzero(present[:, index]))
        if on_class:
            on_class()

    judged = [i for i in np.argsort(-sizes, kind="stable") if 2 <= sizes[i] < len(scaled)]  # the slow ones first
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads or usable_cores()) as pool:
        list(pool.map(one_class, judged))
    return QbeResult(average_precision, float(average_precision[judged].mean()) if judged else float("nan"))


@protocols.register("qbe")
@gives(single_label=("mAP",), several_labels=("mAP",), trains=False)
def qbe(model: Embeds, task: Task, seed: int = 0, space: str = "h") -> Score:
    """Query by example among the test clips: each clip is the mean of its windows' embeddings. Trains nothing."""
    task.require("query by example", "test")
    embeddings = task.embed(model, space)
    test = task.test[embeddings.kept[task.test]]
    result = query_by_example(embeddings.clip_means()[test], task.corpus.label_matrix()[test])
    if np.isnan(result.map):
        raise SoundviewsError("query by example needs a class that two test clips have and another has not")
    return Score(
        metrics={"mAP": result.map},
        per_class=task.by_class(result.per_class_ap),
        details={"space": space, "clips": len(test), "trials": "all pairs of test clips, by cosine distance"},
        deterministic=True,
    )


def usable_cores() -> int:
    """Cores this process may run on, which a container or a batch system may have restricted."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Blocks:
    """Similarities of some clips to all clips, in memory that each thread reuses (fresh pages cost more than
    the product itself)."""

    def __init__(self, scaled: NDArray[np.float64], rows: int) -> None:
        self.scaled, self.rows, self._local = scaled, rows, threading.local()

    def to_all(self, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        """Similarities in multiples of 2**-24, int32 (rows, clips), valid until the thread's next call."""
        if not hasattr(self._local, "product"):
            shape = (self.rows, len(self.scaled))
            self._local.product, self._local.similarity = np.empty(shape), np.empty(shape, dtype=np.int32)
        product, similarity = self._local.product[: len(rows)], self._local.similarity[: len(rows)]
        np.matmul(self.scaled[rows], self.scaled.T, out=product)
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


def _class_average_precision(blocks: _Blocks, members: NDArray[np.int64]) -> float:
    """Only the targets' ranks are needed: count, block by block, the non-targets at or above each target."""
    values, counts = np.unique(blocks.among(members), return_counts=True)
    targets_above = counts[::-1].cumsum()[::-1]
    others_above = np.zeros(len(values), dtype=np.int64)
    for first in range(0, len(members), blocks.rows):
        similarity = blocks.to_all(members[first : first + blocks.rows])
        similarity[:, members] = NEVER
        ranked = similarity.reshape(-1)
        ranked.sort()
        others_above += ranked.size - np.searchsorted(ranked, values)
    precision = targets_above / (targets_above + others_above)
    return float(precision @ counts / counts.sum())
