"""Masks over bands and frames (SpecAugment, as uclser uses it)."""

import torch
from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.views.registry import View, views

_VALUES = ("min", "zero", "mean", "max", "noise")


@views.register("spec_augment")
class SpecAugment(View):
    """Overwrite `freq_masks` stretches of bands and `time_masks` stretches of frames of each patch.

    Widths are int(U(0, freq_width)) and int(U(0, time_width)), hence 0 .. width - 1; starts are uniform over all
    that fit, the last included.

    Args:
        value: What is written: the patch's `min`, `mean` or `max`, `zero` (on the log scale), or `noise` with the
            patch's mean and deviation.
    """

    takes = gives = "patches"

    def __init__(
        self,
        freq_masks: int = 2,
        freq_width: int = 20,
        time_masks: int = 2,
        time_width: int = 20,
        value: str = "min",
    ) -> None:
        if value not in _VALUES:
            raise ValueError(f"value is {value!r}; it must be one of {_VALUES}")
        if min(freq_masks, time_masks) < 0 or min(freq_width, time_width) < 1:
            raise ValueError("masks must not be negative, widths at least 1")
        self.freq_masks, self.freq_width = freq_masks, freq_width
        self.time_masks, self.time_width = time_masks, time_width
        self.value = value

    def __call__(self, patches: Tensor, rng: Randomness) -> Tensor:
        batch, frames, mels = patches.shape
        bands = _masked(rng, batch, self.freq_masks, self.freq_width, mels)
        times = _masked(rng, batch, self.time_masks, self.time_width, frames)
        return torch.where(bands[:, None] | times[..., None], self._written(patches, rng), patches)

    def _written(self, patches: Tensor, rng: Randomness) -> Tensor:
        if self.value == "zero":
            return patches.new_zeros(1)
        if self.value == "min":
            return patches.amin(dim=(1, 2), keepdim=True)
        if self.value == "max":
            return patches.amax(dim=(1, 2), keepdim=True)
        mean = patches.mean(dim=(1, 2), keepdim=True)
        if self.value == "mean":
            return mean
        return rng.normal(*patches.shape) * patches.std(dim=(1, 2), correction=0, keepdim=True) + mean


def _masked(rng: Randomness, batch: int, masks: int, below: int, size: int) -> Tensor:
    """Which of `size` bins lie under a mask, bool (batch, size)."""
    width = rng.uniform(batch, masks, 1, high=below).long().clamp_(max=min(below - 1, size))
    start = rng.integers(size - width + 1)
    index = torch.arange(size, device=width.device)
    return ((index >= start) & (index < start + width)).any(dim=1)
