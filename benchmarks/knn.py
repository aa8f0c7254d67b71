"""Nearest neighbours at FSDnoisy18k's validation size: 17,000 patches of 512-d; and with scikit-learn."""

import resource
import time

import numpy as np
from sklearn.neighbors import NearestNeighbors

from benchmarks._report import Section, run
from soundviews.evaluation.protocols.knn import knn_predict

CLASSES, SIZE, K = 20, 512, 200


def with_scikit_learn(vectors: np.ndarray, clip: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The same votes for each patch; enough neighbours are asked for that those of its own clip can be left out."""
    most = np.bincount(clip).max()
    search = NearestNeighbors(n_neighbors=K + most, metric="cosine", algorithm="brute").fit(vectors)
    votes = np.empty(len(vectors), dtype=np.int64)
    for patch, neighbours in enumerate(search.kneighbors(vectors, return_distance=False)):
        others = neighbours[clip[neighbours] != clip[patch]][:K]
        votes[patch] = np.bincount(targets[clip[others]], minlength=CLASSES).argmax()
    return votes


def main(miniature: bool = False) -> Section:
    patches, clips = (600, 60) if miniature else (17_000, 1_700)
    rng = np.random.default_rng(0)
    clip, targets = np.sort(rng.integers(clips, size=patches)), rng.integers(CLASSES, size=clips)
    centres = rng.standard_normal((CLASSES, SIZE))
    vectors = (centres[targets[clip]] + 6 * rng.standard_normal((patches, SIZE))).astype(np.float32)

    started = time.perf_counter()
    ours = knn_predict(vectors, clip, targets, K).patches
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    started = time.perf_counter()
    theirs = with_scikit_learn(vectors, clip, targets)
    return Section(
        "Nearest neighbours",
        [
            {"": "soundviews", "seconds": seconds, "peak memory, GiB": memory},
            {"": "scikit-learn and a loop", "seconds": time.perf_counter() - started, "peak memory, GiB": ""},
        ],
        f"{patches} patches of {SIZE}-d from {clips} clips, k = {K}, the query's clip excluded. Aim: at most 10 s "
        f"on 2 cores. Patches whose vote differs from scikit-learn's: {int((ours != theirs).sum())}.",
    )


if __name__ == "__main__":
    run(main)
