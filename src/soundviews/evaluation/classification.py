"""What the trained protocols share: their papers' settings, losses, and how windows become a clip's score."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from soundviews.errors import SoundviewsError
from soundviews.evaluation.embeddings import clip_means
from soundviews.evaluation.score import Judged, Score, class_accuracies, class_average_precisions, mean
from soundviews.evaluation.tasks import Indices, Task
from soundviews.registry import nearest


@dataclass(frozen=True)
class Settings:
    """How a classifier is trained.

    milestones: shares of the epochs after which the learning rate falls to a tenth.
    average: whether a clip's score is the mean of its windows' "probabilities" or of their "logits".
    """

    optimizer: str
    lr: float
    weight_decay: float
    epochs: int
    batch_size: int
    milestones: tuple[float, ...]
    average: str

    def build(self, parameters: Any, steps_per_epoch: int) -> tuple[Any, Any]:
        """Optimiser and schedule (stepped after each batch)."""
        if self.optimizer == "sgd":
            optimizer: Any = torch.optim.SGD(parameters, lr=self.lr, momentum=0.9, weight_decay=self.weight_decay)
        else:
            optimizer = torch.optim.Adam(parameters, lr=self.lr, weight_decay=self.weight_decay)
        steps = [round(share * self.epochs * steps_per_epoch) for share in self.milestones]
        return optimizer, torch.optim.lr_scheduler.MultiStepLR(optimizer, steps, gamma=0.1)


STYLES = {
    "uclser": Settings("sgd", 0.1, 1e-4, 200, 128, (0.4, 0.8), "probabilities"),
    "cola": Settings("adam", 1e-3, 0.0, 100, 64, (), "logits"),
}


def settings(style: str, **changes: Any) -> Settings:
    """The settings of a style with those changes that are not None."""
    if style not in STYLES:
        raise SoundviewsError(f"unknown style {style!r}: {nearest(style, STYLES)}")
    return replace(STYLES[style], **{key: value for key, value in changes.items() if value is not None})


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


def judge(task: Task, clips: Indices, truth: NDArray[Any], scores: NDArray[np.float32]) -> Score:
    """Mean per-class accuracy, or mean average precision where clips have several labels.

    Args:
        clips: Which clips of the task are judged, (n,).
        truth: As `truth_of` gives it, for all clips of the task.
        scores: (n, classes).
    """
    own = truth[clips]
    if truth.ndim == 2:
        per_class = class_average_precisions(own > 0, scores)
        judged = Judged(clips, own > 0, scores, scores >= 0.5)
        return Score({"mAP": mean(per_class)}, task.by_class(per_class), judged=judged)
    predicted = scores.argmax(axis=1)
    per_class = class_accuracies(own, predicted, task.classes)
    metrics = {"accuracy": mean(per_class), "clip_accuracy": float((own == predicted).mean())}
    return Score(metrics, task.by_class(per_class), judged=Judged(clips, own, scores, predicted))
