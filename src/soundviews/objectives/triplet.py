"""Triplet loss with semi-hard negatives (Jansen et al., ICASSP 2018; the negatives: FaceNet, Schroff et al., 2015)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from soundviews.objectives.base import Loss, full_precision, objectives, require_pairs


def triplet_loss(z_a: Tensor, z_b: Tensor, margin: float = 0.1) -> Loss:
    """max(0, |anchor - positive|^2 - |anchor - negative|^2 + margin), the mean over all 2N projections as anchors.

    An anchor's positive is the other view of its example. Its negative is one of the 2N - 2 projections of the other
    examples: the nearest of those that are further away than the positive, or where none is, the furthest of all.

    Args:
        z_a, z_b: (batch, size) projections of the two views; they are L2-normalised here.
        margin: By how much a negative must be further away than the positive, in squared distance, 0 to 4.

    Returns:
        The loss. The metric "accuracy" is how often the positive is the nearest of the 2N - 1 others.

    Raises:
        SoundviewsError: for a batch of one example, which has no negatives, or views that do not pair up.
    """
    require_pairs(z_a, z_b)
    with torch.autocast(z_a.device.type, enabled=False):
        z = F.normalize(full_precision(torch.cat([z_a, z_b])), dim=1)
        distances = 2 - 2 * z @ z.T
        row = torch.arange(len(z), device=z.device)
        positive = distances[row, row.roll(len(z_a))][:, None]
        negatives = distances.where(row[:, None] % len(z_a) != row % len(z_a), torch.nan)
        nearest = negatives.where(negatives > positive, torch.inf).amin(1, keepdim=True)
        furthest = negatives.nan_to_num(nan=-torch.inf).amax(1, keepdim=True)
        negative = nearest.where(nearest.isfinite(), furthest)
        accuracy = (~(negatives <= positive).any(1)).to(z.dtype).mean()
        value = (positive - negative + margin).clamp(min=0).mean()
        return Loss(value, {"accuracy": accuracy, "chance": torch.full_like(accuracy, 1 / (len(z) - 1))})


@objectives.register("triplet")
class Triplet(nn.Module):
    """Triplet loss with semi-hard negatives of the batch, behind a head of one linear layer and L2 norm.

    Temporal proximity is what the views make of it: anchor and positive cut out of one clip at random.

    Args:
        margin: By how much a negative must be further away than the positive, in squared distance.
    """

    def __init__(self, embedding_size: int, margin: float = 0.1, projection_size: int = 128) -> None:
        super().__init__()
        if not 0 < margin <= 4:
            raise ValueError(f"margin is {margin}; it must be positive and at most 4, the largest squared distance")
        self.margin = margin
        self.head = nn.Linear(embedding_size, projection_size)

    def project(self, h: Tensor) -> Tensor:
        """h (batch, embedding_size) -> z (batch, projection_size) of unit length."""
        return F.normalize(full_precision(self.head(h)), dim=1)

    def forward(self, h_a: Tensor, h_b: Tensor) -> Loss:
        """h_a, h_b: (batch, embedding_size) of two views."""
        require_pairs(h_a, h_b)
        return triplet_loss(self.project(h_a), self.project(h_b), self.margin)
