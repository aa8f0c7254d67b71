"""Two branches of views: what turns a batch of clips into anchors and positives."""

from collections import Counter
from typing import Any, Protocol

import torch
from torch import Tensor

from soundviews.audio.corpus import Skipped
from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.features.patches import Clips
from soundviews.separation.draw import Wanted
from soundviews.views import views
from soundviews.views.separate import Separate

BACKGROUND_BLOCKS = 2  # one for each branch


class View(Protocol):
    """What `views` holds."""

    takes: str
    gives: str

    def __call__(self, x: Any, rng: Randomness) -> Any: ...


class Branch:
    """A list of named steps from clips to patches.

    Args:
        steps: Each a name, or {name: options}.
        context: What views may ask for: log_mel, sample_rate, fill.

    Raises:
        SoundviewsError: Unknown name or option, or a step that cannot follow the one before it.
    """

    def __init__(self, steps: list[Any], **context: Any) -> None:
        self.steps: list[tuple[tuple[str, int], View]] = []
        have, before, seen = "clips", "a recording", Counter[str]()
        for step in steps:
            name, options = _parsed(step)
            view = views.create(name, options, **context)
            if view.takes != have:
                raise SoundviewsError(f"view {name!r} takes {view.takes}, but {before} gives {have}")
            self.steps.append(((name, seen[name]), view))
            have, before = view.gives, repr(name)
            seen[name] += 1
        if have != "patches":
            raise SoundviewsError(f"a branch must end in patches, but {before} gives {have}: add log_mel or patch")
        mixing = [name for (name, _), view in self.steps if getattr(view, "needs_background", False)]
        if len(mixing) > 1:
            raise SoundviewsError(f"a branch can mix in backgrounds once, not by each of {mixing}")
        self.needs_background = bool(mixing)
        if any(isinstance(view, Separate) for _, view in self.steps[1:]):
            raise SoundviewsError("separate must be the first step of a branch: whole clips are separated")
        first = self.steps[0][1]
        self.separate = first if isinstance(first, Separate) else None

    def __call__(self, clips: Clips, rng: Randomness) -> Tensor:
        """Patches (batch, frames, mels) of the clips. If `needs_background`, the second half of the clips are the
        backgrounds of the first, and half as many patches come out.

        A step's draws depend on its name and on how many of that name came before, not on its position: adding a
        step leaves the others alone, and both branches' steps of one name share `rng.shared`.
        """
        x: Any = clips
        for place, view in self.steps:
            x = view(x, rng.child(*place))
        return x


class TwoViews:
    """The anchor's and the positive's branch.

    Attributes:
        backgrounds: Blocks of background clips that the loader must add to a batch: 0, or 2 if a branch mixes back.
        processors: Names of those that the branches separate with.
    """

    def __init__(self, anchor_steps: list[Any], positive_steps: list[Any], **context: Any) -> None:
        self.branches = [Branch(steps, **context) for steps in (anchor_steps, positive_steps)]
        needed = any(branch.needs_background for branch in self.branches)
        self.backgrounds = BACKGROUND_BLOCKS if needed else 0
        names = [name for branch in self.branches if branch.separate for name in branch.separate.processors]
        self.processors = list(dict.fromkeys(names))

    def load(self) -> list[Skipped]:
        """Read what the views need from disk now instead of at the first batch.

        Returns:
            What was left out of it, each once.
        """
        loads = [view.load() for branch in self.branches for _, view in branch.steps if hasattr(view, "load")]
        return list(dict.fromkeys(entry for skipped in loads for entry in skipped))

    def wanted(self, batch_size: int, keys: tuple[Any, ...]) -> list[Wanted]:
        """What each branch that separates wants in the place of the examples: a block of channels each."""
        draws: list[Wanted] = []
        for number, branch in enumerate(self.branches):
            if branch.separate is not None:
                rng = Randomness(*keys, "views", branch=number).child("separate", 0)
                draws.append(branch.separate.draw(batch_size, rng, second=bool(draws), among=self.processors))
        return draws

    @torch.no_grad()
    def __call__(
        self,
        samples: Tensor,
        lengths: Tensor,
        batch_size: int,
        keys: tuple[Any, ...],
        channels: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Two views of each example.

        Args:
            samples: ((1 + backgrounds) * batch_size, longest), zeros behind each clip: the examples, then a block of
                backgrounds for the anchors, then one for the positives.
            lengths: int64, samples of each clip.
            batch_size: Examples.
            keys: What the draws are a function of: (seed, step, rank).
            channels: (blocks, batch_size, longest), what `wanted` of these keys says.

        Returns:
            Anchors and positives, (batch_size, frames, mels) each.
        """
        expected = (1 + self.backgrounds) * batch_size
        if len(samples) != expected:
            raise ValueError(
                f"expected {expected} clips (with {self.backgrounds} background blocks), got {len(samples)}"
            )
        views, blocks = [], iter(() if channels is None else channels)
        for number, branch in enumerate(self.branches):
            examples = samples[:batch_size] if branch.separate is None else next(blocks)
            clips = self._clips(examples, samples, lengths, number)
            views.append(branch(clips, Randomness(*keys, "views", branch=number, device=samples.device)))
        return views[0], views[1]

    def _clips(self, examples: Tensor, samples: Tensor, lengths: Tensor, number: int) -> Clips:
        """The examples of a branch, and behind them its backgrounds if it mixes them in."""
        size = len(examples)
        if not self.branches[number].needs_background:
            return Clips(examples, lengths[:size])
        if number == 0 and self.branches[0].separate is None:  # they lie side by side: no copy
            return Clips(samples[: 2 * size], lengths[: 2 * size])
        rows = slice(size * (1 + number), size * (2 + number))
        return Clips(torch.cat([examples, samples[rows]]), torch.cat([lengths[:size], lengths[rows]]))


def _parsed(step: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(step, str):
        return step, {}
    if isinstance(step, dict) and len(step) == 1:
        ((name, options),) = step.items()
        if isinstance(name, str) and (options is None or isinstance(options, dict)):
            return name, options or {}
    raise SoundviewsError(f"a view is a name or {{name: {{option: value}}}}, not {step!r}")
