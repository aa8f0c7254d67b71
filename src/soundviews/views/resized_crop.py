"""Random resized crops (uclser): a mild stretch in time and frequency."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.views.registry import View, views

_TRIES = 10


@views.register("resized_crop")
class ResizedCrop(View):
    """Crop a random part of each patch and stretch it to the patch's size, bilinearly.

    As torchvision's RandomResizedCrop: a share of the area uniform in `scale` and an aspect (mels / frames)
    log-uniform in `ratio`, drawn up to ten times until the crop fits, else the largest that fits in the middle.

    Args:
        scale: Smallest and largest share of the area.
        ratio: Smallest and largest aspect.
    """

    takes = gives = "patches"

    def __init__(self, scale: Sequence[float] = (0.8, 1.0), ratio: Sequence[float] = (3 / 4, 4 / 3)) -> None:
        for name, (low, high) in (("scale", scale), ("ratio", ratio)):
            if not 0 < low <= high:
                raise ValueError(f"{name} is {list((low, high))}; it must be two rising positive numbers")
        self.scale, self.ratio = tuple(scale), tuple(ratio)

    def __call__(self, patches: Tensor, rng: Randomness) -> Tensor:
        _, frames, mels = patches.shape
        top, height, left, width = self.boxes(len(patches), frames, mels, rng)
        rows = _stretch(top, height, frames)
        columns = _stretch(left, width, mels)
        return rows @ patches @ columns.mT

    def boxes(self, batch: int, frames: int, mels: int, rng: Randomness) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """First frame, frames, first band and bands of each crop, int64 (batch,)."""
        area = frames * mels * rng.uniform(batch, _TRIES, low=self.scale[0], high=self.scale[1])
        low, high = (math.log(bound) for bound in self.ratio)
        aspect = rng.uniform(batch, _TRIES, low=low, high=high).exp()
        width, height = (area * aspect).sqrt().round().long(), (area / aspect).sqrt().round().long()
        fits = (width > 0) & (width <= mels) & (height > 0) & (height <= frames)
        first = fits.int().argmax(dim=1, keepdim=True)
        any_fits = fits.any(dim=1)
        fallback_height, fallback_width = self._fallback(frames, mels)
        height = height.gather(1, first)[:, 0].where(any_fits, fallback_height)
        width = width.gather(1, first)[:, 0].where(any_fits, fallback_width)
        top = rng.integers(frames - height + 1).where(any_fits, (frames - height) // 2)
        left = rng.integers(mels - width + 1).where(any_fits, (mels - width) // 2)
        return top, height, left, width

    def _fallback(self, frames: int, mels: int) -> tuple[int, int]:
        if mels / frames < self.ratio[0]:
            return max(1, round(mels / self.ratio[0])), mels
        if mels / frames > self.ratio[1]:
            return frames, max(1, round(frames * self.ratio[1]))
        return frames, mels


def _stretch(start: Tensor, size: Tensor, full: int) -> Tensor:
    """Matrices (batch, full, full) that stretch `size` entries from `start` on to `full`, bilinearly.

    Output i reads position start + (i + 1/2) size / full - 1/2, kept within the crop (align_corners=False). Two
    products with such matrices are faster than gathering four neighbours of every bin.
    """
    grid = torch.arange(full, device=start.device, dtype=torch.float32)
    start, size = start[:, None].float(), size[:, None].float()
    position = start + ((grid + 0.5) * (size / full) - 0.5).clamp(min=0.0).minimum(size - 1)
    return (1 - (position[..., None] - grid).abs_()).clamp_(min=0.0)
