"""Are two systems different on the very same test clips? A paired test of what a protocol's first metric is a mean of.

Every clip (or class) has a difference between the two systems. A bootstrap of the differences gives the interval, a
permutation test the p-value: were the systems alike, each difference could as well be its negative.
"""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from soundviews.evaluation.intervals import RESAMPLES
from soundviews.evaluation.runner import means
from soundviews.evaluation.score import Judged, Score

PERMUTATIONS = 10_000
CELLS = 4_000_000  # random numbers held at once
_ROUNDING = 1e-12  # of sums of differences: a permutation that gives the same sum in another order is a tie

Scores = Sequence[Sequence[Score]]
"""Of one system: by run or seed, then by task."""


class Paired(NamedTuple):
    """How much better the second system is, with 95 % interval and two-sided p, and what was paired."""

    difference: float
    low: float
    high: float
    p: float
    over: str


class Differences(NamedTuple):
    """values: float64 (n,), second minus first, of each clip or class. group: int64 (n,), 0 .. groups - 1. weight:
    float64 (groups,), of each group's mean in the metric; they sum to 1. over: what n counts, in words."""

    values: NDArray[np.float64]
    group: NDArray[np.int64]
    weight: NDArray[np.float64]
    over: str


def compare_scores(first: Scores, second: Scores, seed: int = 0) -> Paired | None:
    """Test two systems under one protocol; None where fewer than two clips or classes are judged for both.

    Mean per-class accuracy is paired over test clips, each right or wrong in as large a share as there were runs and
    seeds; a clip that one of the systems could not read is left out. Any other metric is paired over its classes.
    Either way the runs and seeds count as given: the test says what other clips could do to the difference.
    """
    by_clip = all(
        score.measure == "accuracy" and score.judged is not None and score.judged.truth.ndim == 1
        for row in (*first, *second)
        for score in row
    )
    found = clip_differences(first, second) if by_clip else class_differences(first, second)
    return paired_test(found, seed) if len(found.values) > 1 else None


def clip_differences(first: Scores, second: Scores) -> Differences:
    """Of the share of runs that got each clip right; groups are the classes of each task."""
    values, groups, weights, known = [], [], [], 0
    for of_first, of_second in zip(zip(*first, strict=True), zip(*second, strict=True), strict=True):  # a task's runs
        here = (
            [score.judged for score in of_first if score.judged],
            [score.judged for score in of_second if score.judged],
        )
        common = reduce(np.intersect1d, [judged.clips for judged in (*here[0], *here[1])])
        truth = here[0][0].truth[_places(here[0][0], common)]
        classes, group = np.unique(truth, return_inverse=True)
        values.append(_share_right(here[1], common) - _share_right(here[0], common))
        groups.append(known + group)
        weights.append(np.full(len(classes), 1 / max(len(classes), 1)))
        known += len(classes)
    judged = np.concatenate(values)
    return Differences(
        judged, np.concatenate(groups), np.concatenate(weights) / len(weights), f"{len(judged)} test clips"
    )


def class_differences(first: Scores, second: Scores) -> Differences:
    """Of each class's mean over runs and tasks, of the classes that were judged for both systems."""
    of_first, of_second = (means([score.per_class for row in scores for score in row]) for scores in (first, second))
    names = [name for name in of_first if name in of_second]
    values = np.array([of_second[name] - of_first[name] for name in names])
    return Differences(values, np.zeros(len(names), dtype=np.int64), np.ones(1), f"{len(names)} {first[0][0].parts}")


def paired_test(found: Differences, seed: int = 0) -> Paired:
    """Test that the weighted mean of the groups' mean differences is zero.

    Clips are drawn with replacement within their group. Equal differences of a group are drawn as counts, so that
    time and memory depend on how many different ones there are and hardly on the number of clips.
    """
    rng = np.random.default_rng(seed)
    size = np.bincount(found.group)
    weight = found.weight / size  # of one clip of each group
    observed = float(weight[found.group] @ found.values)
    low, high = np.percentile(_bootstrap(rng, found, size, weight), [2.5, 97.5])
    chance = np.abs(_sign_flips(rng, found, weight)) >= abs(observed) - _ROUNDING
    p = (1 + np.count_nonzero(chance)) / (PERMUTATIONS + 1)
    return Paired(observed, float(low), float(high), float(p), found.over)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction of several p-values, in their order."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted.tolist()


def _bootstrap(
    rng: np.random.Generator, found: Differences, size: NDArray[np.int64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The statistic of resampled clips, (RESAMPLES,)."""
    levels, level = np.unique(found.values.round(12), return_inverse=True)
    share = np.zeros((len(size), len(levels)))
    np.add.at(share, (found.group, level), 1 / size[found.group])
    share /= share.sum(axis=1, keepdims=True)
    parts = [
        np.einsum("rgv,g,v->r", rng.multinomial(size, share, size=(count, len(size))), weight, levels, optimize=True)
        for count in _in_blocks(RESAMPLES, share.size)
    ]
    return np.concatenate(parts)


def _sign_flips(rng: np.random.Generator, found: Differences, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The statistic with random signs, (PERMUTATIONS,): of m equal differences a binomial number keeps its sign."""
    steps = np.abs(weight[found.group] * found.values)
    steps, count = np.unique(steps[steps > 0], return_counts=True)
    parts = [
        (2 * rng.binomial(count, 0.5, size=(block, len(count))) - count) @ steps
        for block in _in_blocks(PERMUTATIONS, len(count))
    ]
    return np.concatenate(parts)


def _in_blocks(draws: int, cells: int) -> list[int]:
    """`draws` in numbers whose `cells` random numbers each fit into memory."""
    most = max(1, CELLS // max(cells, 1))
    return [min(most, draws - first) for first in range(0, draws, most)]


def _share_right(runs: Sequence[Judged], clips: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the runs that predicted each of `clips` right, (clips,)."""
    right = [(run.truth == run.predicted)[_places(run, clips)] for run in runs]
    return np.mean(right, axis=0)


def _places(judged: Judged, clips: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where `clips`, all of them judged, stand in `judged`."""
    order = np.argsort(judged.clips)
    return order[np.searchsorted(judged.clips, clips, sorter=order)]
