"""BYOL: bootstrap your own latent (Grill et al., 2020, Sec. 3.1)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from soundviews.core.errors import SoundviewsError
from soundviews.objectives.base import Loss, full_precision, objectives, require_same_shape


def byol_loss(p_a: Tensor, p_b: Tensor, z_a: Tensor, z_b: Tensor) -> Loss:
    """Squared distances of the predictions of one view to the averaged projections of the other (eq. 2), both ways.

    Args:
        p_a, p_b: (batch, size) predictions; they are L2-normalised here.
        z_a, z_b: (batch, size) projections of the averaged network, which get no gradient.

    Returns:
        The sum over both ways, 0 to 8. The metric "accuracy" is how often the nearest of the batch's targets is the
        example's own: that of chance when all outputs have collapsed into one.
    """
    with torch.autocast(p_a.device.type, enabled=False):
        predictions, targets = (
            F.normalize(full_precision(torch.cat(both)), dim=1) for both in ((p_a, p_b), (z_b.detach(), z_a.detach()))
        )
        value = 2 * (2 - 2 * (predictions * targets).sum(1)).mean()
        cosines = predictions.detach().unflatten(0, (2, -1)) @ targets.unflatten(0, (2, -1)).mT
        index = torch.arange(len(p_a), device=p_a.device)
        accuracy = (cosines.argmax(2) == index).to(value.dtype).mean()
        return Loss(value, {"accuracy": accuracy, "chance": torch.full_like(accuracy, 1 / len(p_a))})


@objectives.register("byol")
class BYOL(nn.Module):
    """BYOL: a predictor on the projection of each view regresses the other view's projection by the averaged network.

    There are no negatives. What keeps the outputs from collapsing into one is the predictor, the slow average and the
    batch norm of both heads, so batches of a few examples do not work; 64 do.

    Args:
        momentum: Share of the averaged weights that a step keeps at the beginning; 0.99 for short trainings, 0.996 in
            the paper's longest.
        momentum_schedule: `cosine` raises it to 1 over the training (Sec. 3.2), `constant` keeps it.
    """

    def __init__(
        self,
        embedding_size: int,
        momentum: float = 0.99,
        momentum_schedule: str = "cosine",
        hidden_size: int = 512,
        projection_size: int = 128,
    ) -> None:
        super().__init__()
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum is {momentum}; it must lie within 0 and 1")
        if momentum_schedule not in ("cosine", "constant"):
            raise ValueError(f"momentum_schedule is {momentum_schedule!r}; it must be 'cosine' or 'constant'")
        self.first_momentum, self.rises = momentum, momentum_schedule == "cosine"
        self.head = _perceptron(embedding_size, hidden_size, projection_size)
        self.predictor = _perceptron(projection_size, hidden_size, projection_size)

    def momentum(self, share: float) -> float:
        """The momentum of the average after this share of the training, 0 to 1."""
        rest = (math.cos(math.pi * share) + 1) / 2 if self.rises else 1.0
        return 1 - (1 - self.first_momentum) * rest

    def project(self, h: Tensor) -> Tensor:
        """h (batch, embedding_size) -> z (batch, projection_size) of unit length."""
        return F.normalize(full_precision(self.head(h)), dim=1)

    def forward(self, h_a: Tensor, h_b: Tensor, averaged: tuple[Tensor, Tensor]) -> Loss:
        """h_a, h_b: (batch, embedding_size) of two views; averaged: their projections by the averaged encoder and
        head, (batch, projection_size)."""
        require_same_shape(h_a, h_b)
        if len(h_a) < 2:
            raise SoundviewsError("byol needs at least 2 examples in a batch, not 1: batch norm compares them")
        p_a, p_b = (self.predictor(self.head(h)) for h in (h_a, h_b))
        return byol_loss(p_a, p_b, *averaged)


def _perceptron(size: int, hidden_size: int, out_size: int) -> nn.Sequential:
    """One hidden layer with batch norm, as the projector and the predictor of the paper (Sec. 3.2)."""
    return nn.Sequential(
        nn.Linear(size, hidden_size, bias=False),
        nn.BatchNorm1d(hidden_size),
        nn.ReLU(inplace=True),
        nn.Linear(hidden_size, out_size),
    )
