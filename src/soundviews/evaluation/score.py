"""What a protocol returns, and the registry of protocols."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from soundviews.core.extras import naming_extras
from soundviews.core.registry import Registry

Protocol = TypeVar("Protocol", bound=Callable[..., Any])

protocols = Registry("protocol")
"""Each is called as `protocol(model, task, seed, **options) -> Score`."""


SINGLE_LABEL = ("accuracy", "clip_accuracy", "macro_f1", "micro_f1", "weighted_precision")
SEVERAL_LABELS = ("mAP", "macro_f1", "micro_f1", "weighted_precision")


class Gives(NamedTuple):
    """What a protocol gives, known before it runs.

    single_label: names of its metrics for clips with one label each. several_labels: for other clips. None of them
        where it cannot judge such clips.
    trains: whether it needs training clips beside those that it judges.
    during_training: whether it judges the encoder that it is given, so that it may follow a pretraining.
    labels: whether it looks at labels; those who do not judge a corpus without any, too.
    """

    single_label: tuple[str, ...] = SINGLE_LABEL
    several_labels: tuple[str, ...] = SEVERAL_LABELS
    trains: bool = True
    during_training: bool = True
    labels: bool = True


def gives(
    single_label: tuple[str, ...] = SINGLE_LABEL,
    several_labels: tuple[str, ...] = SEVERAL_LABELS,
    trains: bool = True,
    during_training: bool = True,
    labels: bool = True,
) -> Callable[[Protocol], Protocol]:
    """Decorate a protocol with what it `Gives`, so that a recipe's wrong metric fails before it trains."""

    def declare(protocol: Protocol) -> Protocol:
        protocol.gives = Gives(single_label, several_labels, trains, during_training, labels)  # type: ignore[attr-defined]
        return protocol

    return declare


def gives_of(protocol: Callable[..., Any]) -> Gives | None:
    """What a protocol declares of itself; None where it does not."""
    return getattr(protocol, "gives", None)


class Judged(NamedTuple):
    """The test clips one by one, for what is drawn and compared.

    clips: int64 (n,), rows of the task's corpus.
    truth, predicted: class numbers, int64 (n,), where clips have one label (-1: none was predicted), else whether
        they have each label, bool (n, classes).
    scores: float32 (n, classes), higher is likelier.
    """

    clips: NDArray[np.int64]
    truth: NDArray[Any]
    scores: NDArray[np.float32]
    predicted: NDArray[Any]


@dataclass(frozen=True)
class Score:
    """One run of one protocol.

    metrics: shares between 0 and 1; the first is the one the protocol is known by.
    per_class: the first metric by class name; classes that could not be judged are absent.
    details: the settings that decided the figure, as JSON can hold them.
    deterministic: another seed would give the same score.
    judged: the test clips, where the protocol classifies them.
    """

    metrics: dict[str, float]
    per_class: dict[str, float]
    details: dict[str, Any] = field(default_factory=dict)
    deterministic: bool = False
    judged: Judged | None = field(default=None, compare=False, repr=False)

    @property
    def measure(self) -> str:
        return next(iter(self.metrics))

    @property
    def value(self) -> float:
        return self.metrics[self.measure]

    @property
    def parts(self) -> str:
        """What `per_class` is over, in words."""
        return "transformations" if self.measure == "invariance" else "classes"


def class_accuracies(true: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Share of each class's clips that were predicted right, (classes,); NaN for a class without clips."""
    clips = np.bincount(true, minlength=classes).astype(np.float64)
    right = np.bincount(true[true == predicted], minlength=classes)
    return np.divide(right, clips, out=np.full(classes, np.nan), where=clips > 0)


def class_average_precisions(truth: NDArray[np.bool_], scores: NDArray[Any]) -> NDArray[np.float64]:
    """Average precision of each class, (classes,); NaN for a class that none or all of the clips have.

    Args:
        truth: bool (clips, classes).
        scores: (clips, classes), higher is likelier.
    """
    with naming_extras():
        from sklearn.metrics import average_precision_score

    result = np.full(truth.shape[1], np.nan)
    mixed = np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0))
    if len(mixed):
        result[mixed] = average_precision_score(truth[:, mixed], scores[:, mixed], average=None)
    return result


def mean(values: NDArray[np.float64]) -> float:
    """Mean over the classes that could be judged; NaN where there is none."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
