"""What the trained protocols share: their papers' settings, losses, and how windows become a clip's score."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import nearest
from soundviews.evaluation.embeddings import clip_means
from soundviews.evaluation.f1 import best_thresholds, counts, f1_metrics
from soundviews.evaluation.parts import Indices
from soundviews.evaluation.score import Judged, Score, class_accuracies, class_average_precisions, mean
from soundviews.evaluation.tasks import Task


@dataclass(frozen=True)
class Settings:
    """How a classifier is trained.

    milestones: shares of the epochs after which the learning rate falls to a tenth.
    average: whether a clip's score is the mean of its windows' "probabilities" or of their "logits".
    best_epoch: whether the epoch that is best on the validation clips is kept, else the last.
    """

    optimizer: str
    lr: float
    weight_decay: float
    epochs: int
    batch_size: int
    milestones: tuple[float, ...]
    average: str
    best_epoch: bool

    def build(self, parameters: Any, steps_per_epoch: int, fused: bool | None = None) -> tuple[Any, Any]:
        """Optimiser and schedule (stepped after each batch)."""
        common: Any = {"lr": self.lr, "weight_decay": self.weight_decay, "fused": fused}
        if self.optimizer == "sgd":
            optimizer: Any = torch.optim.SGD(parameters, momentum=0.9, **common)
        else:
            optimizer = torch.optim.Adam(parameters, **common)
        steps = [round(share * self.epochs * steps_per_epoch) for share in self.milestones]
        return optimizer, torch.optim.lr_scheduler.MultiStepLR(optimizer, steps, gamma=0.1)

    @property
    def even(self) -> float:
        """The score at which a label is as likely as not."""
        return 0.5 if self.average == "probabilities" else 0.0


STYLES = {
    "uclser": Settings("sgd", 0.1, 1e-4, 200, 128, (0.4, 0.8), "probabilities", True),
    "cola": Settings("adam", 1e-3, 0.0, 100, 64, (), "logits", False),
    "acl": Settings("adam", 1e-3, 0.0, 100, 128, (), "logits", False),
}
"""acl (section 3.1) gives optimiser, rate and batch; the rest is read as cola, which it builds on."""

NO_VALIDATION = (
    "without validation clips, F1 and precision take every label that is likelier than not (thresholds of 0.5): name "
    "such clips or hold out a share of the training clips"
)


def settings(style: str, **changes: Any) -> Settings:
    """The settings of a style with those changes that are not None."""
    if style not in STYLES:
        raise SoundviewsError(f"unknown style {style!r}: {nearest(style, STYLES)}")
    return replace(STYLES[style], **{key: value for key, value in changes.items() if value is not None})


def require_clips(task: Task, protocol: str, kept: NDArray[np.bool_] | None = None) -> None:
    """Raise a SoundviewsError unless the task can train a classifier and judge it.

    Args:
        kept: As `Task.require_classes` has it.
    """
    task.require(protocol, "train", "test")
    task.require_classes(protocol, "train", *(() if task.corpus.single_label else ("test",)), kept=kept)
    if kept is not None and not kept[task.test].any():
        raise SoundviewsError(f"{protocol}: none of the {len(task.test)} test clips is readable")


def truth_of(task: Task) -> NDArray[Any]:
    """int64 (clips,) where every clip has one label, else float32 (clips, classes) of zeros and ones."""
    if task.corpus.single_label:
        return task.corpus.targets()
    return task.corpus.label_matrix().astype(np.float32)


def loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy with classes (n,), or binary cross-entropy with several labels (n, classes)."""
    if truth.ndim == 1:
        return nn.functional.cross_entropy(logits, truth)
    return nn.functional.binary_cross_entropy_with_logits(logits, truth)


def clip_scores(
    logits: Tensor, clip: NDArray[np.int64], clips: int, single_label: bool, average: str
) -> NDArray[np.float32]:
    """Scores of each clip, (clips, classes), from its windows' logits (windows, classes)."""
    logits = logits.float()
    if average == "probabilities":
        logits = logits.softmax(dim=1) if single_label else logits.sigmoid()
    return clip_means(logits.numpy(), clip, clips)


def loss_gradient(logits: Tensor, truth: Tensor) -> Tensor:
    """The gradient of `loss` with respect to the logits, (n, classes); overwrites them."""
    if truth.ndim == 1:
        shares = torch.softmax(logits, dim=1, out=logits)
        return shares.scatter_add_(1, truth[:, None], shares.new_full((len(truth), 1), -1.0)).div_(len(truth))
    return logits.sigmoid_().sub_(truth).div_(truth.numel())


class Choosing(NamedTuple):
    """What thresholds are chosen on: `clips` (n,), maybe none, with their scores (n, classes); `even` is the threshold
    of a class that none of them has."""

    clips: Indices
    scores: NDArray[np.float32]
    even: float = 0.5


def judge(
    task: Task, clips: Indices, truth: NDArray[Any], scores: NDArray[np.float32], choosing: Choosing | None = None
) -> Score:
    """Mean per-class accuracy, or mean average precision where clips have several labels; F1 and precision.

    Args:
        clips: Which clips of the task are judged, (n,).
        truth: As `truth_of` gives it, for all clips of the task.
        scores: (n, classes).
        choosing: How thresholds are chosen; without it all are 0.5. Clips with one label need none: the highest
            score wins, the first of equals.
    """
    labels = truth[clips]
    if labels.ndim == 2:
        labels = labels > 0
        thresholds, details = _thresholds(task, truth, choosing)
        judged = Judged(clips, labels, scores, scores >= thresholds)
        per_class = class_average_precisions(labels, scores)
        metrics = {"mAP": mean(per_class)}
    else:
        details = {}
        judged = Judged(clips, labels, scores, scores.argmax(axis=1))
        per_class = class_accuracies(labels, judged.predicted, task.classes)
        metrics = {"accuracy": mean(per_class), "clip_accuracy": float((labels == judged.predicted).mean())}
    return Score(metrics | f1_metrics(counts(judged)), task.by_class(per_class), details, judged=judged)


def _thresholds(task: Task, truth: NDArray[Any], choosing: Choosing | None) -> tuple[Any, dict[str, Any]]:
    """The threshold of each class, (classes,), or a single one for all, and what to say about them."""
    if choosing is None:
        return 0.5, {}
    if not len(choosing.clips):
        return choosing.even, {"thresholds": "0.5", "note": NO_VALIDATION}
    best = best_thresholds(truth[choosing.clips] > 0, choosing.scores)
    details = {"thresholds": f"each class's best F1 on {len(choosing.clips)} validation clips"}
    if missing := task.names(np.isnan(best)):
        details["note"] = f"classes without validation clips, at a threshold of 0.5: {missing}"
    return np.where(np.isnan(best), np.float32(choosing.even), best), details
