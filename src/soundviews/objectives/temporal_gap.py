"""Temporal gap: how much time lies between two views of a clip (Tagliasacchi et al., 2019, arXiv:1905.11796)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from soundviews.objectives.base import Loss, full_precision, objectives, require_pairs


def temporal_gap_loss(logits: Tensor, gaps: Tensor) -> Loss:
    """Cross-entropy of each example's gap, a share of the longest one, and the gap that is predicted of it.

    Args:
        logits: (batch,) log-odds of the predicted shares.
        gaps: (batch,) shares, 0 to 1.

    Returns:
        The mean of -(gap log p + (1 - gap) log(1 - p)), which is lowest, but not 0, where p is the gap. Metrics:
        "accuracy" is the share of pairs of examples of which it is told right whose gap is longer, and "error" the
        mean |p - gap|.
    """
    with torch.autocast(logits.device.type, enabled=False):
        logits = full_precision(logits)
        gaps = gaps.to(logits.dtype)
        guesses = logits.detach()
        longer = gaps[:, None] > gaps
        accuracy = ((guesses[:, None] > guesses) & longer).sum() / longer.sum().clamp(min=1)
        metrics = {
            "accuracy": accuracy,
            "chance": torch.full_like(accuracy, 0.5),
            "error": (guesses.sigmoid() - gaps).abs().mean(),
        }
        return Loss(F.binary_cross_entropy_with_logits(logits, gaps), metrics)


@objectives.register("temporal_gap")
class TemporalGap(nn.Module):
    """The temporal gap behind a head on [h_a, h_b]: one hidden layer with ReLU and one logit.

    It tells two views apart by time, so it has no `project`, and there is no z.

    Args:
        longest: Gap in seconds that counts as 1, and longer ones too: that of clips less that of a view.
    """

    positions = True

    def __init__(self, embedding_size: int, longest: float = 9.0, hidden_size: int = 64) -> None:
        super().__init__()
        if not longest > 0:
            raise ValueError(f"longest is {longest}; it must be a positive number of seconds")
        self.longest = longest
        self.head = nn.Sequential(nn.Linear(2 * embedding_size, hidden_size), nn.ReLU(), nn.Linear(hidden_size, 1))

    def forward(self, h_a: Tensor, h_b: Tensor, positions: tuple[Tensor, Tensor]) -> Loss:
        """h_a, h_b: (batch, embedding_size) of two views; positions: when each begins, (batch,) seconds into its
        clip."""
        require_pairs(h_a, h_b)
        gaps = ((positions[0] - positions[1]).abs() / self.longest).clamp(max=1)
        return temporal_gap_loss(self.head(torch.cat([h_a, h_b], dim=1))[:, 0], gaps)
