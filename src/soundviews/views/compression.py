"""Compression of the dynamics (uclser)."""

from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.views.registry import View, views


@views.register("compression", example={"alpha": 0.75})
class Compression(View):
    """Multiply each log-mel patch by U(alpha, 1), or by U(1, alpha) where alpha is above 1 (expansion).

    A factor on the logarithm is an exponent on the linear mel values.
    """

    takes = gives = "patches"

    def __init__(self, alpha: float) -> None:
        if alpha <= 0:
            raise ValueError(f"alpha is {alpha}; it must be positive")
        self.low, self.high = min(alpha, 1.0), max(alpha, 1.0)

    def __call__(self, patches: Tensor, rng: Randomness) -> Tensor:
        return patches * rng.uniform(len(patches), 1, 1, low=self.low, high=self.high)
