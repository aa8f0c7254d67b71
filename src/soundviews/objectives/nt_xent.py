"""NT-Xent with its projection head: uclser, Sec. 2, eq. 2; ssep, Sec. 3.1, eq. 1."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from soundviews.objectives.base import (
    Loss,
    full_precision,
    in_batch_contrast,
    objectives,
    require_pairs,
    require_temperature,
)


def nt_xent_loss(z_a: Tensor, z_b: Tensor, temperature: float) -> Loss:
    """As `nt_xent`, with the in-batch accuracy: how often the positive is the nearest of the 2N - 1 others."""
    require_pairs(z_a, z_b)
    require_temperature(temperature)
    # 16-bit logits divided by a small temperature lose the differences that the loss is about.
    with torch.autocast(z_a.device.type, enabled=False):
        z = F.normalize(full_precision(torch.cat([z_a, z_b])), dim=1)
        logits = (z / temperature) @ z.T
        logits.fill_diagonal_(-torch.inf)
        targets = torch.arange(len(z), device=z.device).roll(len(z_a))
        return in_batch_contrast(logits, targets)


def nt_xent(z_a: Tensor, z_b: Tensor, temperature: float) -> Tensor:
    """Normalised temperature-scaled cross-entropy, the mean over all 2N anchors.

    Args:
        z_a, z_b: (batch, size) projections of the two views; they are L2-normalised here.
        temperature: Divides the cosines; positive.

    Returns:
        Scalar, float32 (float64 for float64 input). Every anchor's denominator holds its positive and the
        2N - 2 negatives.

    Raises:
        SoundviewsError: for a batch of one example, which has no negatives, or views that do not pair up.
    """
    return nt_xent_loss(z_a, z_b, temperature).value


@objectives.register("nt_xent")
class NTXent(nn.Module):
    """NT-Xent behind a head of one hidden layer: Linear, batch norm, ReLU, Linear, L2 norm (uclser).

    Each view passes the head by itself, so batch norm sees the statistics of one view. The similarity head of ssep
    is `hidden_size: 256, projection_size: 128, head_batch_norm: false`.
    """

    def __init__(
        self,
        embedding_size: int,
        temperature: float = 0.2,
        hidden_size: int = 512,
        projection_size: int = 512,
        head_batch_norm: bool = True,
    ) -> None:
        super().__init__()
        require_temperature(temperature)
        self.temperature = temperature
        self.head = nn.Sequential(
            nn.Linear(embedding_size, hidden_size),
            nn.BatchNorm1d(hidden_size) if head_batch_norm else nn.Identity(),
            nn.ReLU(inplace=True),
            nn.Linear(hidden_size, projection_size),
        )

    def project(self, h: Tensor) -> Tensor:
        """h (batch, embedding_size) -> z (batch, projection_size) of unit length."""
        return F.normalize(full_precision(self.head(h)), dim=1)

    def forward(self, h_a: Tensor, h_b: Tensor) -> Loss:
        require_pairs(h_a, h_b)
        return nt_xent_loss(self.project(h_a), self.project(h_b), self.temperature)
