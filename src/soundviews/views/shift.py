"""Circular shifts in time and in frequency (uclser)."""

import torch
from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.views.registry import View, views


@views.register("time_shift")
class TimeShift(View):
    """Delay each patch by int(U(1, max)) frames, hence 1 .. max - 1; what leaves at the end comes in at the start."""

    takes = gives = "patches"

    def __init__(self, max: int) -> None:
        self.max = _at_least_two(max)

    def __call__(self, patches: Tensor, rng: Randomness) -> Tensor:
        return patches.gather(1, _sources(patches, 1, self.max, rng)[..., None].expand_as(patches))


@views.register("frequency_shift")
class FrequencyShift(View):
    """Raise each patch by int(U(1, max)) bands, hence 1 .. max - 1; what leaves at the top comes in at the bottom."""

    takes = gives = "patches"

    def __init__(self, max: int) -> None:
        self.max = _at_least_two(max)

    def __call__(self, patches: Tensor, rng: Randomness) -> Tensor:
        return patches.gather(2, _sources(patches, 2, self.max, rng)[:, None].expand_as(patches))


def _at_least_two(most: int) -> int:
    if most < 2:
        raise ValueError(f"max is {most}; shifts are 1 .. max - 1, so it must be at least 2")
    return most


def _sources(patches: Tensor, dim: int, below: int, rng: Randomness) -> Tensor:
    """Where each place along `dim` reads from, int64 (batch, places)."""
    shift = 1 + rng.integers(torch.full((len(patches), 1), below - 1, device=patches.device))
    return (torch.arange(patches.shape[dim], device=patches.device) - shift).remainder(patches.shape[dim])
