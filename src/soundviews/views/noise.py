"""White noise on the waveform (cola)."""

from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.views.registry import View, views


@views.register("noise", example={"std": 0.1})
class Noise(View):
    """Add N(0, std^2) to every sample of each snippet."""

    takes = gives = "snippets"

    def __init__(self, std: float) -> None:
        if std < 0:
            raise ValueError(f"std is {std}; it must not be negative")
        self.std = std

    def __call__(self, snippets: Tensor, rng: Randomness) -> Tensor:
        return rng.normal(*snippets.shape).mul_(self.std).add_(snippets)
