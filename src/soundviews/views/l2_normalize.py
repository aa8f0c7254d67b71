"""Clips of unit energy (cola)."""

from soundviews.core.randomness import Randomness
from soundviews.features.levels import l2_normalize
from soundviews.features.patches import Clips
from soundviews.views.registry import View, views


@views.register("l2_normalize")
class L2Normalize(View):
    """Divide each whole clip by its L2 norm, sqrt(max(sum x^2, eps)); nothing is drawn.

    The level of a snippet so depends on the clip's length: 1 s of a 10 s clip has a norm of about sqrt(0.1).
    """

    takes = gives = "clips"
    augments = False
    level = "l2_clip"

    def __init__(self, eps: float = 1e-9) -> None:
        self.eps = eps

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        return Clips(l2_normalize(clips.samples, self.eps), clips.lengths)
