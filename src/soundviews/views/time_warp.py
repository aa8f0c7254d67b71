"""Time warping (SpecAugment: Park et al., 2019, Sec. 2), as ssep uses it."""

import torch
from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.views.registry import View, views


@views.register("time_warp")
class TimeWarp(View):
    """Move a frame of each patch earlier or later, and stretch what lies before and behind it; both ends stay.

    With W = max_warp, the frame is an integer, uniform over those more than W frames from either end (the paper's
    (W, frames - W)), and it moves by a real number of frames, uniform on [-W, W]. In between, frames are interpolated
    linearly.

    Args:
        max_warp: W, in frames. A patch of fewer than 2 W + 3 frames has no such frame: there W is as large as
            its length allows, and patches of fewer than 5 frames stay as they are.
    """

    takes = gives = "patches"

    def __init__(self, max_warp: int = 8) -> None:
        if max_warp < 1:
            raise ValueError(f"max_warp is {max_warp}; it must be at least one frame")
        self.max_warp = max_warp

    def __call__(self, patches: Tensor, rng: Randomness) -> Tensor:
        batch, frames, _ = patches.shape
        most = min(self.max_warp, (frames - 3) // 2)
        if most < 1:
            return patches
        centre, landing = self.warps(batch, frames, most, rng)
        position = _sources(frames, centre, landing)
        before = position.long().clamp_(max=frames - 2)
        row = torch.arange(batch, device=patches.device)[:, None]
        share = (position - before)[..., None].to(patches.dtype)
        return torch.lerp(patches[row, before], patches[row, before + 1], share)

    @staticmethod
    def warps(batch: int, frames: int, most: int, rng: Randomness) -> tuple[Tensor, Tensor]:
        """The frame that moves and where it lands, float32 (batch,); at least one frame is left on either side."""
        room = torch.full((batch,), frames - 2 - 2 * most, device=rng.device)
        centre = (rng.integers(room) + most + 1).float()
        return centre, centre + rng.uniform(batch, low=-most, high=most)


def _sources(frames: int, centre: Tensor, landing: Tensor) -> Tensor:
    """The frame, between 0 and frames - 1, that each frame of the warped patch shows: (batch, frames)."""
    last = frames - 1
    grid = torch.arange(frames, device=centre.device, dtype=torch.float32)
    centre, landing = centre[:, None], landing[:, None]
    early = grid * (centre / landing)
    late = last - (last - grid) * ((last - centre) / (last - landing))
    return torch.where(grid <= landing, early, late)
