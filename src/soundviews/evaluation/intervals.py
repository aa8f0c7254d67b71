"""95 % intervals: over repeated runs where there are several, else over what one run was judged on."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from soundviews.core.extras import naming_extras
from soundviews.evaluation.score import Score

RESAMPLES = 2000
REPETITIONS = {"run": "runs", "seed": "seeds", "task": "folds"}


class Interval(NamedTuple):
    """low and high, and in words what varies between them."""

    low: float
    high: float
    over: str


def student_t(values: Sequence[float], over: str) -> Interval:
    """The interval of the mean of at least two independent values, normally distributed."""
    with naming_extras():
        from scipy import stats

    array = np.asarray(values, dtype=np.float64)
    half = stats.t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return Interval(float(array.mean() - half), float(array.mean() + half), f"Student t over {over}")


def over_repetitions(runs: Sequence[Mapping[str, Any]], figure: str) -> Interval | None:
    """Student's interval of a figure's mean: over pretrainings if there are several, else over seeds, else over folds.

    Args:
        runs: `Row.runs`, an entry for each pretraining, seed and task. Each value that the interval is over is the
            mean of the entries that share it.
    """
    for kind, words in REPETITIONS.items():
        values: dict[Any, list[float]] = {}
        for run in runs:
            values.setdefault(run.get(kind), []).append(run[figure])
        if len(values) > 1:
            return student_t([float(np.mean(repeated)) for repeated in values.values()], f"{len(values)} {words}")
    return None


def bootstrap(score: Score, seed: int = 0) -> Interval | None:
    """Percentiles of the figure under resampling of what it is a mean of; None if there is one class or none.

    Test clips are drawn with replacement within each class where the protocol predicts one class a clip; a mean
    average precision is resampled over its classes.
    """
    rng = np.random.default_rng(seed)
    if score.judged is not None and score.measure == "accuracy":
        truth = score.judged.truth
        draws = _class_draws(rng, truth, truth == score.judged.predicted)
        over = "bootstrap over test clips"
    elif len(score.per_class) > 1:
        values = np.array(list(score.per_class.values()))
        draws = values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
        over = f"bootstrap over {score.parts}"
    else:
        return None
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(float(low), float(high), over)


def _class_draws(rng: np.random.Generator, true: NDArray[np.int64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean per-class accuracies of resampled clips, (resamples,): right answers in n draws are binomial."""
    clips = np.bincount(true)
    share = np.bincount(true[right], minlength=len(clips))[clips > 0] / clips[clips > 0]
    clips = clips[clips > 0]
    return (rng.binomial(clips, share, size=(RESAMPLES, len(clips))) / clips).mean(axis=1)
