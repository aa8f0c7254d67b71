"""Query by example at AudioSet's size: 52,700 clips, 527 classes, 128-d embeddings; and against scikit-learn."""

import resource
import time

import numpy as np
from sklearn.metrics import average_precision_score

from benchmarks._report import Section, run
from soundviews.evaluation.protocols.qbe import query_by_example

CLASSES, SIZE = 527, 128
LARGE = (5000, 4000, 3000, 2500, 2000)  # clips of the largest classes, among 52,700


def made_up(shrink: int) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings with some class structure, and multi-label ground truth. shrink: Divides every number of clips."""
    rng = np.random.default_rng(0)
    clips = 52_700 // shrink
    labels = np.zeros((clips, CLASSES), dtype=bool)
    for index in range(CLASSES):
        size = LARGE[index] if index < len(LARGE) else 100
        labels[rng.choice(clips, size // shrink, replace=False), index] = True
    centres = rng.standard_normal((CLASSES, SIZE))
    vectors = labels @ centres + 1.5 * rng.standard_normal((clips, SIZE))
    return vectors.astype(np.float32), labels


def with_scikit_learn(vectors: np.ndarray, labels: np.ndarray, index: int) -> float:
    """The same trials of one class, through average_precision_score."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    members = np.flatnonzero(labels[:, index])
    target = (unit[members] @ unit[members].T)[np.triu_indices(len(members), 1)]
    other = (unit[members] @ unit[~labels[:, index]].T).ravel()
    truth = np.concatenate([np.ones(len(target), dtype=bool), np.zeros(len(other), dtype=bool)])
    return float(average_precision_score(truth, np.concatenate([target, other])))


def main(miniature: bool = False) -> Section:
    shrink = 50 if miniature else 1
    vectors, labels = made_up(shrink)
    started = time.perf_counter()
    result = query_by_example(vectors, labels)
    ours = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    small = range(len(LARGE), len(LARGE) + 10)
    started = time.perf_counter()
    theirs = [with_scikit_learn(vectors, labels, index) for index in small]
    each = (time.perf_counter() - started) / len(small)
    difference = float(np.abs(result.per_class_ap[list(small)] - theirs).max())
    return Section(
        "Query by example",
        [
            {"": f"soundviews, all {CLASSES} classes", "seconds": ours, "peak memory, GiB": memory},
            {
                "": f"scikit-learn, one class of {100 // shrink} clips (mean of 10)",
                "seconds": each,
                "peak memory, GiB": "",
            },
        ],
        f"{len(vectors)} clips, {CLASSES} classes of {100 // shrink} clips, {len(LARGE)} of them with "
        f"{LARGE[-1] // shrink} to {LARGE[0] // shrink}; "
        f"{SIZE}-d float32 embeddings. Aim: about 60 s and at most 8 GiB on 2 cores. Largest difference of a "
        f"class's average precision to scikit-learn's: {difference:.1e}.",
    )


if __name__ == "__main__":
    run(main)
