"""F1, precision and confusions of predicted classes, and the thresholds labels are predicted by (acl, section 2.2)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from soundviews.evaluation.score import Judged, mean

Floats = NDArray[np.float64]


class Counts(NamedTuple):
    """Clips of each class, int64 (classes,): hits were predicted to have it and do, predicted were predicted to,
    present do."""

    hits: NDArray[np.int64]
    predicted: NDArray[np.int64]
    present: NDArray[np.int64]


def counts(judged: Judged) -> Counts:
    """Counts of clips with one label or several; a clip for which no class was predicted is a miss of its class."""
    truth, predicted = judged.truth, judged.predicted
    if truth.ndim == 2:
        return Counts(*(part.sum(axis=0) for part in (truth & predicted, predicted, truth)))
    parts = truth[truth == predicted], predicted[predicted >= 0], truth
    return Counts(*(np.bincount(part, minlength=judged.scores.shape[1]) for part in parts))


def class_f1(count: Counts) -> Floats:
    """Harmonic mean of each class's precision and recall (the paper's eq. 4), (classes,); NaN where no clip has it."""
    doubled = 2.0 * count.hits
    return np.divide(
        doubled, count.predicted + count.present, out=np.full(len(doubled), np.nan), where=count.present > 0
    )


def f1_metrics(count: Counts) -> dict[str, float]:
    """Macro and micro F1 and weighted precision, as scikit-learn defines them.

    macro_f1: mean over the classes that some clip has. micro_f1: of all classes' counts together, with the false
    alarms of classes that no clip has. weighted_precision: mean of the classes' precisions, weighted by the clips
    that have them; 0 for a class that was never predicted. It is the paper's "weighted average precision".
    """
    precision = count.hits / np.maximum(count.predicted, 1)
    return {
        "macro_f1": mean(class_f1(count)),
        "micro_f1": float(2 * count.hits.sum() / max(count.predicted.sum() + count.present.sum(), 1)),
        "weighted_precision": float(precision @ count.present / max(count.present.sum(), 1)),
    }


def best_thresholds(truth: NDArray[np.bool_], scores: NDArray[Any]) -> NDArray[Any]:
    """For each class the threshold with the highest F1: a clip has the class if its score is at least that.

    Candidates are the scores themselves. Among thresholds with the same F1 the highest is taken, which predicts the
    fewest clips.

    Args:
        truth: bool (clips, classes).
        scores: (clips, classes), finite.

    Returns:
        (classes,), of the scores' type; NaN for a class that no clip has.
    """
    if not truth.any():
        return np.full(truth.shape[1], np.nan, dtype=scores.dtype)
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=0)
    hits = np.take_along_axis(truth, order, axis=0).cumsum(axis=0)
    predicted = np.arange(1, len(truth) + 1)[:, None]
    f1 = 2 * hits / (predicted + truth.sum(axis=0))
    f1[:-1][ranked[:-1] == ranked[1:]] = -1  # clips of one score are predicted together
    best = np.take_along_axis(ranked, f1.argmax(axis=0)[None], axis=0)[0]
    return np.where(truth.any(axis=0), best, np.nan).astype(scores.dtype)


def likeliest(judged: Judged) -> NDArray[np.int64]:
    """The one class that each clip is taken for, int64 (clips,): with several labels the class with the highest score,
    the first of equals; -1 where none was predicted."""
    return judged.scores.argmax(axis=1) if judged.truth.ndim == 2 else judged.predicted


def confusion(judged: Judged) -> NDArray[np.int64]:
    """Clips by true class (row) and predicted class (column), (classes, classes).

    A clip with several labels counts once in the row of each, and for the one class with its highest score, since a
    confusion needs one prediction a clip (acl, Fig. 4). Clips without label or prediction do not count.
    """
    classes = judged.scores.shape[1]
    if judged.truth.ndim == 2:
        clip, true = np.nonzero(judged.truth)
        taken = likeliest(judged)[clip]
    else:
        labelled = judged.predicted >= 0
        true, taken = judged.truth[labelled], judged.predicted[labelled]
    return np.bincount(true * classes + taken, minlength=classes**2).reshape(classes, classes)
