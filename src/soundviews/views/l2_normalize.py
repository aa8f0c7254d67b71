"""Clips of unit energy (cola)."""

import torch

from soundviews.core.randomness import Randomness
from soundviews.features.patches import Clips
from soundviews.views.registry import views


@views.register("l2_normalize")
class L2Normalize:
    """Divide each whole clip by its L2 norm, sqrt(max(sum x^2, eps)); nothing is drawn.

    The level of a snippet so depends on the clip's length: 1 s of a 10 s clip has a norm of about sqrt(0.1).
    """

    takes = gives = "clips"

    def __init__(self, eps: float = 1e-9) -> None:
        self.eps = eps

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        norm = torch.linalg.vector_norm(clips.samples, dim=1, keepdim=True)
        return Clips(clips.samples / norm.clamp(min=self.eps**0.5), clips.lengths)
