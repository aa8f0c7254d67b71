"""Circular shifts in time and in frequency (uclser)."""

import torch
from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.views.registry import View, views


class _Shift(View):
    """Shift each patch along one dimension by int(U(1, max)), hence 1 .. max - 1."""

    takes = gives = "patches"
    dim: int

    def __init__(self, max: int) -> None:
        if max < 2:
            raise ValueError(f"max is {max}; shifts are 1 .. max - 1, so it must be at least 2")
        self.max = max

    def __call__(self, patches: Tensor, rng: Randomness) -> Tensor:
        size = patches.shape[self.dim]
        shift = 1 + rng.integers(torch.full((len(patches), 1), self.max - 1, device=patches.device))
        source = (torch.arange(size, device=patches.device) - shift).remainder(size)
        return patches.gather(self.dim, source.unsqueeze(3 - self.dim).expand_as(patches))


@views.register("time_shift", example={"max": 30})
class TimeShift(_Shift):
    """Delay each patch by int(U(1, max)) frames, hence 1 .. max - 1; what leaves at the end comes in at the start."""

    dim = 1


@views.register("frequency_shift", example={"max": 10})
class FrequencyShift(_Shift):
    """Raise each patch by int(U(1, max)) bands, hence 1 .. max - 1; what leaves at the top comes in at the bottom."""

    dim = 2
