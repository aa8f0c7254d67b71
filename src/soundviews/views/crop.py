"""A random snippet of each clip."""

from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.features.patches import Clips, cut
from soundviews.views.registry import View, views


@views.register("crop", example={"seconds": 0.25})
class Crop(View):
    """Cut `seconds` out of each clip, at a start uniform over all that fit, the last included.

    Clips that are shorter are repeated or padded as `fill` says.
    """

    takes, gives = "clips", "snippets"
    augments = False

    def __init__(self, seconds: float, sample_rate: int, fill: str = "repeat") -> None:
        self.size, self.fill = round(seconds * sample_rate), fill
        if self.size < 1:
            raise ValueError(f"{seconds} s is less than one sample")
        self.window = ("samples", self.size)

    def __call__(self, clips: Clips, rng: Randomness) -> Tensor:
        starts = self.position(clips.lengths, rng)
        return cut(clips.samples, clips.lengths, starts[:, None], self.size, self.fill)[:, 0]

    def position(self, lengths: Tensor, rng: Randomness) -> Tensor:
        return rng.integers((lengths - self.size + 1).clamp(min=1))
