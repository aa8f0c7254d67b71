"""Bilinear contrast with its head: cola; one-directional, from anchors to positives."""

import torch
from torch import Tensor, nn

from soundviews.objectives.base import Loss, full_precision, objectives, paired_contrast, require_pairs


def bilinear_loss(anchors: Tensor, positives: Tensor, weight: Tensor, symmetric: bool = False) -> Loss:
    """As `bilinear_contrast`, with the in-batch accuracy."""
    require_pairs(anchors, positives)
    with torch.autocast(anchors.device.type, enabled=False):
        anchors, positives = full_precision(anchors), full_precision(positives)
        logits = anchors @ (full_precision(weight) @ positives.T)
        return paired_contrast(logits, symmetric)


def bilinear_contrast(anchors: Tensor, positives: Tensor, weight: Tensor, symmetric: bool = False) -> Tensor:
    """Cross-entropy of the similarities a^T W p: each anchor must find its positive among all of the batch.

    Args:
        anchors, positives: (batch, size) projections; row i of both is one example.
        weight: (size, size), W.
        symmetric: Whether each positive must find its anchor too (mean of both); cola has it one-directional.

    Returns:
        Scalar.

    Raises:
        SoundviewsError: for a batch of one example, which has no negatives, or views that do not pair up.
    """
    return bilinear_loss(anchors, positives, weight, symmetric).value


@objectives.register("bilinear")
class BilinearContrast(nn.Module):
    """Bilinear contrast behind cola's head: Linear, LayerNorm (Keras's epsilon of 1e-3), tanh; W ~ N(0, 0.05^2).

    With this W the first loss lies far above ln(batch): about 29 for 256 examples.
    """

    def __init__(self, embedding_size: int, projection_size: int = 512, symmetric: bool = False) -> None:
        super().__init__()
        self.symmetric = symmetric
        self.head = nn.Sequential(
            nn.Linear(embedding_size, projection_size), nn.LayerNorm(projection_size, eps=1e-3), nn.Tanh()
        )
        self.weight = nn.Parameter(torch.empty(projection_size, projection_size).normal_(std=0.05))

    def project(self, h: Tensor) -> Tensor:
        """h (batch, embedding_size) -> z (batch, projection_size), each entry in (-1, 1)."""
        return self.head(h)

    def forward(self, h_a: Tensor, h_b: Tensor) -> Loss:
        """h_a: anchors, h_b: positives, (batch, embedding_size)."""
        return bilinear_loss(self.project(h_a), self.project(h_b), self.weight, self.symmetric)
