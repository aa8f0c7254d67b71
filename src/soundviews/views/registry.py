"""The registry of views, and what a view is.

To add a view: a file in this folder with a class that inherits from `View` and is registered under the name that
recipes call it by. Its options are its constructor's arguments; it may also ask for `log_mel` (the recipe's front-end),
`sample_rate` (Hz) and `fill` (what becomes of clips shorter than a snippet).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor

from soundviews.audio.corpus import Skipped
from soundviews.core.randomness import Randomness
from soundviews.core.registry import Registry
from soundviews.separation.draw import Wanted

views = Registry("view")

Kind = Literal["clips", "snippets", "patches"]


class View(ABC):
    """One step of a branch: a batch in, a batch out, on the device where the batch lies. The input stays as it is.

    Every random number is drawn from the Randomness that the step is called with, one value for each example, so that
    a step is a function of (seed, step, rank) alone. `rng.shared` gives both branches the same numbers.

    Attributes:
        takes, gives: What goes in and comes out: `clips` (`Clips`: samples and lengths), `snippets` (batch, samples)
            or `patches` (batch, frames, mels), log-mel before standardisation.
        augments: False for steps that only prepare, such as levels, crops and the log-mel itself: the statistics of a
            corpus are taken over patches that went through these steps alone.
        needs_background: Whether the second half of the batch holds the backgrounds of the first half; then half as
            many examples come out.
        processors: Names of the separation processors whose channels take the place of the clips: the loader or the
            training step fetches what `draw_channels` wants. Only the first step of a branch may have any.
        level: The level convention that the step sets (`inference.level` of a recipe).
        window: Unit ("samples" or "frames") and size of what the step cuts out of each clip.
    """

    takes: Kind
    gives: Kind
    augments: bool = True
    needs_background: bool = False
    processors: Sequence[str] = ()
    level: Literal["peak", "l2_clip"] | None = None
    window: tuple[Literal["samples", "frames"], int] | None = None

    def load(self) -> list[Skipped]:
        """Read what the step needs from disk now instead of at the first batch.

        Returns:
            What was left out of it.
        """
        return []

    def draw_channels(self, batch: int, rng: Randomness, second: bool, among: list[str]) -> Wanted:
        """Which channels of the `processors` take the place of `batch` clips.

        Args:
            second: Whether another channel than that of the branch before is to be taken.
            among: All processors of the training, in which the result counts.
        """
        raise NotImplementedError(f"{type(self).__name__} has processors, but no draw_channels")

    def position(self, lengths: Tensor, rng: Randomness) -> Tensor:
        """The first sample, int64 (batch,), of what a step with a `window` cuts out of clips so long: as `__call__`
        draws it from the same `rng`, for objectives that learn when in a clip a view was."""
        raise NotImplementedError(f"{type(self).__name__} has no position")

    @abstractmethod
    def __call__(self, x: Any, rng: Randomness) -> Any:
        """A batch of what the step takes -> a batch of what it gives."""
