"""Clips without offset, at a common peak level (uclser)."""

from soundviews.core.randomness import Randomness
from soundviews.features.levels import peak_normalize
from soundviews.features.patches import Clips
from soundviews.views.registry import View, views


@views.register("peak_normalize")
class PeakNormalize(View):
    """Subtract each clip's mean, then divide by its largest magnitude + `margin`; nothing is drawn.

    The margin keeps the noise of near-silent clips from being raised to full level.
    """

    takes = gives = "clips"
    augments = False
    level = "peak"

    def __init__(self, margin: float = 0.005) -> None:
        self.margin = margin

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        return peak_normalize(clips, self.margin)
