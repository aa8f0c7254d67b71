"""Gaussian noise on the patch (uclser)."""

from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.views.registry import View, views


@views.register("gaussian_noise", example={"max_std": 0.5})
class GaussianNoise(View):
    """Add N(0, s^2) to every bin of each patch, s ~ U(0, max_std) for each patch."""

    takes = gives = "patches"

    def __init__(self, max_std: float) -> None:
        if max_std < 0:
            raise ValueError(f"max_std is {max_std}; it must not be negative")
        self.max_std = max_std

    def __call__(self, patches: Tensor, rng: Randomness) -> Tensor:
        std = rng.uniform(len(patches), 1, 1, high=self.max_std)
        return rng.normal(*patches.shape).mul_(std).add_(patches)
