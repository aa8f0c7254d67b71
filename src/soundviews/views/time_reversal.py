"""Playing backwards (uclser)."""

from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.views.registry import View, views


@views.register("time_reversal")
class TimeReversal(View):
    """Reverse the frames of each patch with probability p."""

    takes = gives = "patches"

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p is {p}; it must lie within 0 and 1")
        self.p = p

    def __call__(self, patches: Tensor, rng: Randomness) -> Tensor:
        return patches.flip(1).where(rng.uniform(len(patches), 1, 1) < self.p, patches)
