"""Are two systems different on the very same test clips? A paired test of what a protocol's first metric is a mean of.

Every clip (or class) has a difference between the two systems. A bootstrap of the differences gives the interval, a
permutation test the p-value: were the systems alike, each difference could as well be its negative.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from soundviews.evaluation.intervals import RESAMPLES
from soundviews.evaluation.result import means
from soundviews.evaluation.score import Judged, Score

PERMUTATIONS = 10_000
CELLS = 4_000_000  # random numbers held at once
_ROUNDING = 1e-12  # of sums of differences: a permutation that gives the same sum in another order is a tie

Floats = NDArray[np.float64]
Scores = Sequence[Sequence[Score]]
"""The scores of a system: by run or seed, then by task."""


class Pairs(NamedTuple):
    """What both systems were judged on, clip by clip or class by class.

    values: float64 (n,), the second system's figure less the first's. group: int64 (n,), 0 .. groups - 1, whose means
    the metric is made of. weight: float64 (groups,), of each group's mean in the metric; they sum to 1. over: what n
    counts, in words.
    """

    values: Floats
    group: NDArray[np.int64]
    weight: Floats
    over: str


class PairedTest(NamedTuple):
    """How much better the second system is, with 95 % interval and two-sided p, and what was paired, in words."""

    difference: float
    low: float
    high: float
    p: float
    over: str


def compare_scores(first: Scores, second: Scores, seed: int = 0) -> PairedTest | None:
    """Test two systems under one protocol; None where fewer than two clips or classes are judged for both.

    Mean per-class accuracy is paired over test clips, each right or wrong in as large a share as there were runs and
    seeds; a clip that one of the systems could not read is left out. Any other metric is paired over its classes.
    Either way the runs and seeds count as given: the test says what other clips could do to the difference.
    """
    every = [score for scores in (*first, *second) for score in scores]
    by_clip = all(score.measure == "accuracy" and score.judged and score.judged.truth.ndim == 1 for score in every)
    pairs = clip_pairs(first, second) if by_clip else class_pairs(first, second)
    return paired_test(pairs, seed) if len(pairs.values) > 1 else None


def clip_pairs(first: Scores, second: Scores) -> Pairs:
    """Clips, each with the share of runs that got it right; groups are the classes of each task, all equal."""
    values, groups = [], []
    weights: list[Floats] = []
    for task in range(len(first[0])):
        old, new = ([scores[task].judged for scores in system] for system in (first, second))
        truth, old_share = _share_right([judged for judged in old if judged])
        _, new_share = _share_right([judged for judged in new if judged])
        clips = min(len(old_share), len(new_share))
        difference = new_share[:clips] - old_share[:clips]
        both = np.flatnonzero(np.isfinite(difference))
        classes, group = np.unique(truth[both], return_inverse=True)
        values.append(difference[both])
        groups.append(group + sum(len(weight) for weight in weights))
        weights.append(np.full(len(classes), 1 / max(len(classes), 1)))
    clips_of_all = np.concatenate(values)
    over = f"{len(clips_of_all)} test clips"
    return Pairs(clips_of_all, np.concatenate(groups), np.concatenate(weights) / len(weights), over)


def class_pairs(first: Scores, second: Scores) -> Pairs:
    """Classes judged for both systems, each with its mean over runs and tasks, in a single group."""
    old, new = (means([score.per_class for scores in system for score in scores]) for system in (first, second))
    names = [name for name in old if name in new]
    values = np.array([new[name] - old[name] for name in names])
    return Pairs(values, np.zeros(len(names), dtype=np.int64), np.ones(1), f"{len(names)} {first[0][0].parts}")


def paired_test(pairs: Pairs, seed: int = 0) -> PairedTest:
    """Test that the weighted mean of the groups' mean differences is zero.

    Clips are drawn with replacement within their group. Equal differences of a group are drawn as counts, so that
    time and memory depend on how many different ones there are and hardly on the number of clips.
    """
    rng = np.random.default_rng(seed)
    each = (pairs.weight / np.bincount(pairs.group))[pairs.group]  # the weight of each pair
    observed = float(each @ pairs.values)
    low, high = np.percentile(_resampled(rng, pairs), [2.5, 97.5])
    chance = np.abs(_sign_flipped(rng, each * pairs.values)) >= abs(observed) - _ROUNDING
    p = (1 + np.count_nonzero(chance)) / (PERMUTATIONS + 1)
    return PairedTest(observed, float(low), float(high), float(p), pairs.over)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction of several p-values, in their order."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted.tolist()


def _share_right(runs: Sequence[Judged]) -> tuple[NDArray[np.int64], Floats]:
    """By row of the corpus, up to the last one that a run judged: the class, int64, and the share of the runs that
    were right, NaN where one of them did not judge it."""
    rows = 1 + max(int(judged.clips.max(initial=-1)) for judged in runs)
    truth, right = np.zeros(rows, dtype=np.int64), np.full((len(runs), rows), np.nan)
    for of_run, judged in zip(right, runs, strict=True):
        truth[judged.clips] = judged.truth
        of_run[judged.clips] = judged.truth == judged.predicted
    return truth, right.mean(axis=0)


def _resampled(rng: np.random.Generator, pairs: Pairs) -> Floats:
    """The weighted mean of resampled pairs, (RESAMPLES,)."""
    size = np.bincount(pairs.group)
    levels, level = np.unique(pairs.values.round(12), return_inverse=True)
    share = np.zeros((len(size), len(levels)))  # of each group's pairs that have each value
    np.add.at(share, (pairs.group, level), 1 / size[pairs.group])
    share /= share.sum(axis=1, keepdims=True)
    weight = pairs.weight / size
    parts = [
        np.einsum("rgv,g,v->r", rng.multinomial(size, share, size=(count, len(size))), weight, levels, optimize=True)
        for count in _in_blocks(RESAMPLES, share.size)
    ]
    return np.concatenate(parts)


def _sign_flipped(rng: np.random.Generator, terms: Floats) -> Floats:
    """The sum of the terms with random signs, (PERMUTATIONS,): of m equal ones a binomial number keeps its sign."""
    steps = np.abs(terms)
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
