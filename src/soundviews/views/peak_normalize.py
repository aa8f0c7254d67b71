"""Clips without offset, at a common peak level (uclser)."""

import torch

from soundviews.core.randomness import Randomness
from soundviews.features.patches import Clips
from soundviews.views.registry import views


@views.register("peak_normalize")
class PeakNormalize:
    """Subtract each clip's mean, then divide by its largest magnitude + `margin`; nothing is drawn.

    The margin keeps the noise of near-silent clips from being raised to full level.
    """

    takes = gives = "clips"

    def __init__(self, margin: float = 0.005) -> None:
        self.margin = margin

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        samples, lengths = clips
        behind = torch.arange(samples.shape[1], device=samples.device) >= lengths[:, None]
        mean = samples.sum(dim=1, keepdim=True) / lengths[:, None]
        level = (samples - mean).masked_fill_(behind, 0.0)
        # Two one-sided reductions are far faster on a CPU than aminmax or an infinity norm.
        peak = torch.maximum(level.amax(dim=1, keepdim=True), -level.amin(dim=1, keepdim=True))
        return Clips(level.mul_(1.0 / (peak + self.margin)), lengths)
