"""The dot-product variant of cola's contrast: cosines divided by a temperature."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from soundviews.objectives.base import (
    Loss,
    full_precision,
    objectives,
    paired_contrast,
    require_pairs,
    require_temperature,
)


def dot_loss(anchors: Tensor, positives: Tensor, temperature: float = 0.2, symmetric: bool = False) -> Loss:
    """As `dot_contrast`, with the in-batch accuracy."""
    require_pairs(anchors, positives)
    require_temperature(temperature)
    with torch.autocast(anchors.device.type, enabled=False):
        anchors = F.normalize(full_precision(anchors), dim=1) / temperature
        logits = anchors @ F.normalize(full_precision(positives), dim=1).T
        return paired_contrast(logits, symmetric)


def dot_contrast(anchors: Tensor, positives: Tensor, temperature: float = 0.2, symmetric: bool = False) -> Tensor:
    """Cross-entropy of cosines over `temperature`: each anchor must find its positive among all of the batch.

    Args:
        anchors, positives: (batch, size) projections, L2-normalised here; row i of both is one example.
        temperature: Divides the cosines; positive.
        symmetric: Whether each positive must find its anchor too (mean of both); cola has it one-directional.

    Returns:
        Scalar.

    Raises:
        SoundviewsError: for a batch of one example, which has no negatives, or views that do not pair up.
    """
    return dot_loss(anchors, positives, temperature, symmetric).value


@objectives.register("dot")
class DotContrast(nn.Module):
    """Dot-product contrast behind a head of one linear layer."""

    def __init__(
        self,
        embedding_size: int,
        projection_size: int = 512,
        temperature: float = 0.2,
        symmetric: bool = False,
    ) -> None:
        super().__init__()
        require_temperature(temperature)
        self.temperature, self.symmetric = temperature, symmetric
        self.head = nn.Linear(embedding_size, projection_size)

    def project(self, h: Tensor) -> Tensor:
        """h (batch, embedding_size) -> z (batch, projection_size) of unit length."""
        return F.normalize(full_precision(self.head(h)), dim=1)

    def forward(self, h_a: Tensor, h_b: Tensor) -> Loss:
        """h_a: anchors, h_b: positives, (batch, embedding_size)."""
        return dot_loss(self.project(h_a), self.project(h_b), self.temperature, self.symmetric)
