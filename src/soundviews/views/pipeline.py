"""Branches of views: what turns a batch of clips into anchors, positives and further views."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from soundviews.audio.corpus import Skipped
from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.features.patches import Clips
from soundviews.separation.draw import Wanted
from soundviews.views.patch import Patch
from soundviews.views.registry import View, views


class Branch:
    """A list of named steps from clips to patches.

    Args:
        steps: Each a name, or {name: options}.
        context: What views may ask for: log_mel, sample_rate, fill.

    Attributes:
        steps: Each with its name and how many of that name came before.
        needs_background: Whether a step mixes in backgrounds.
        processors: Those whose channels take the place of the clips; none if the branch takes the clips themselves.

    Raises:
        SoundviewsError: Unknown name or option, or a step that cannot follow the one before it.
    """

    def __init__(self, steps: Sequence[Any], **context: Any) -> None:
        self.steps: list[tuple[tuple[str, int], View]] = []
        counts = Counter[str]()
        for step in steps:
            name, options = _parsed(step)
            view = views.create(name, options, **context)
            if not isinstance(view, View):
                raise SoundviewsError(f"view {name!r} is no view: its class must inherit from soundviews.views.View")
            self.steps.append(((name, counts[name]), view))
            counts[name] += 1
        self._check()
        self.needs_background = any(view.needs_background for _, view in self.steps)
        self.processors = list(self.steps[0][1].processors)

    def _check(self) -> None:
        """Whether each step can follow the one before it."""
        kind, before = "clips", "a recording"
        for (name, _), view in self.steps:
            if view.takes != kind:
                raise SoundviewsError(f"view {name!r} takes {view.takes}, but {before} gives {kind}")
            kind, before = view.gives, repr(name)
        if kind != "patches":
            raise SoundviewsError(f"a branch must end in patches, but {before} gives {kind}: add log_mel or patch")
        mixing = [name for (name, _), view in self.steps if view.needs_background]
        if len(mixing) > 1:
            raise SoundviewsError(f"a branch can mix in backgrounds once, not by each of {mixing}")
        for (name, _), view in self.steps[1:]:
            if view.processors:
                raise SoundviewsError(f"{name} must be the first step of a branch: whole clips are separated")

    def draw_channels(self, batch: int, rng: Randomness, second: bool, among: list[str]) -> Wanted:
        """What takes the place of `batch` clips in a branch with `processors`: see `View.draw_channels`."""
        name, view = self.steps[0]
        return view.draw_channels(batch, rng.child(*name), second, among)

    @property
    def cutting(self) -> tuple[tuple[str, int], View] | None:
        """The step that cuts a window out of whole clips, with its name, if it is known when in the clip: if the steps
        before it only prepare the clip or separate it, and it has a `position`."""
        for name, view in self.steps:
            if view.window is not None:
                return (name, view) if type(view).position is not View.position else None
            if view.augments and not view.processors:
                return None
        return None

    def position(self, lengths: Tensor, rng: Randomness) -> Tensor:
        """The first sample, int64 (batch,), of what the branch cuts out of each clip. It must have a `cutting` step.

        A step's draws are a function of `rng` and its name alone, so they are the same as in `__call__`.
        """
        assert self.cutting is not None
        name, view = self.cutting
        return view.position(lengths, rng.child(*name))

    def __call__(self, clips: Clips | Tensor, rng: Randomness) -> Tensor:
        """Patches (batch, frames, mels) of the clips, or of their log-mels (batch, longer, mels) if the first step is
        `patch`. If `needs_background`, the second half of the clips are the backgrounds of the first, and half as many
        patches come out.

        A step's draws depend on its name and on how many of that name came before, not on its position: adding a
        step leaves the others alone, and the branches' steps of one name share `rng.shared`.
        """
        x: Any = clips
        for name, view in self.steps:
            x = view(x, rng.child(*name))
        return x


class TwoViews:
    """The anchor's and the positive's branch, and further ones for objectives that take more than two views.

        views = TwoViews(["peak_normalize", {"patch": {"frames": 101}}, "blur"], log_mel=LogMel(16000))
        anchors, positives = views(samples, lengths, (seed, step))

    Args:
        anchor_steps: Names of views, or {name: options}, as in a recipe.
        positive_steps: None for those of the anchor.
        further: The steps of each further branch.
        context: What views may ask for: log_mel, sample_rate, fill.

    Attributes:
        backgrounds: Blocks of background clips that a batch must have behind the examples: one for each branch up to
            the last that mixes back, and at least two if there is any.
        processors: Names of those that the branches separate with.

    Raises:
        SoundviewsError: Unknown name or option, or a step that cannot follow the one before it.
    """

    def __init__(
        self,
        anchor_steps: Sequence[Any],
        positive_steps: Sequence[Any] | None = None,
        further: Sequence[Sequence[Any]] = (),
        **context: Any,
    ) -> None:
        positive_steps = anchor_steps if positive_steps is None else positive_steps
        self.branches = [Branch(steps, **context) for steps in (anchor_steps, positive_steps, *further)]
        mixing = [number for number, branch in enumerate(self.branches) if branch.needs_background]
        self.backgrounds = max(2, mixing[-1] + 1) if mixing else 0
        self.processors = list(dict.fromkeys(name for branch in self.branches for name in branch.processors))

    @property
    def begin_with_patches(self) -> bool:
        """Whether all that the branches need of a clip is its log-mel."""
        return not self.backgrounds and all(isinstance(branch.steps[0][1], Patch) for branch in self.branches)

    @torch.no_grad()
    def of_log_mels(self, log_mels: Tensor, keys: tuple[Any, ...]) -> tuple[Tensor, ...]:
        """As `__call__`, where the branches `begin_with_patches`.

        Args:
            log_mels: (renderings, batch, frames, mels): one of the examples, and another for the branches after the
                anchor's.
        """
        return tuple(
            branch(log_mel, Randomness(*keys, "views", branch=number, device=log_mels.device))
            for number, (branch, log_mel) in enumerate(
                zip(self.branches, [log_mels[0], *[log_mels[-1]] * (len(self.branches) - 1)], strict=True)
            )
        )

    def positions(self, lengths: Tensor, keys: tuple[Any, ...]) -> Tensor:
        """When in its clip each view of `__call__` with the same keys begins.

        Args:
            lengths: int64, samples of each clip, backgrounds included, as in `__call__`.

        Returns:
            The first sample, int64 (branches, batch).
        """
        size, positions = len(lengths) // (1 + self.backgrounds), []
        for number, branch in enumerate(self.branches):
            of_branch = lengths[:size]
            if branch.needs_background:
                of_branch = torch.cat([of_branch, lengths[size * (1 + number) : size * (2 + number)]])
            rng = Randomness(*keys, "views", branch=number, device=lengths.device)
            positions.append(branch.position(of_branch, rng)[:size])
        return torch.stack(positions)

    def load(self) -> list[Skipped]:
        """Read what the views need from disk now instead of at the first batch.

        Returns:
            What was left out of it, each once.
        """
        skipped = (entry for branch in self.branches for _, view in branch.steps for entry in view.load())
        return list(dict.fromkeys(skipped))

    def wanted(self, batch_size: int, keys: tuple[Any, ...]) -> list[Wanted]:
        """What each branch that separates wants in the place of the examples: a block of channels each."""
        draws: list[Wanted] = []
        for number, branch in enumerate(self.branches):
            if branch.processors:
                rng = Randomness(*keys, "views", branch=number)
                draws.append(branch.draw_channels(batch_size, rng, second=bool(draws), among=self.processors))
        return draws

    @torch.no_grad()
    def __call__(
        self,
        samples: Tensor,
        lengths: Tensor,
        keys: tuple[Any, ...],
        channels: Tensor | None = None,
        positives: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """The views of each example.

        Args:
            samples: ((1 + backgrounds) * batch, longest), zeros behind each clip: the examples, then a block of
                backgrounds for the anchors, then one for the positives, and so on.
            lengths: int64, samples of each clip.
            keys: What the draws are a function of, such as (seed, step).
            channels: (blocks, batch, longest), what `wanted` of these keys says.
            positives: (batch, longest), what the branches after the anchor's take in the place of the examples.

        Returns:
            Anchors, positives and further views, (batch, frames, mels) each.
        """
        if len(samples) % (1 + self.backgrounds):
            raise ValueError(f"{len(samples)} clips are no batch of examples with {self.backgrounds} background blocks")
        patches, blocks = [], iter(() if channels is None else channels)
        for number, branch in enumerate(self.branches):
            size = len(samples) // (1 + self.backgrounds)
            examples = samples[:size] if number == 0 or positives is None else positives
            examples = next(blocks) if branch.processors else examples
            clips = Clips(examples, lengths[:size])
            if branch.needs_background:
                rows = slice(size * (1 + number), size * (2 + number))
                clips = Clips(torch.cat([examples, samples[rows]]), torch.cat([lengths[:size], lengths[rows]]))
            patches.append(branch(clips, Randomness(*keys, "views", branch=number, device=samples.device)))
        return tuple(patches)


def _parsed(step: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(step, str):
        return step, {}
    if isinstance(step, dict) and len(step) == 1:
        ((name, options),) = step.items()
        if isinstance(name, str) and (options is None or isinstance(options, dict)):
            return name, options or {}
    raise SoundviewsError(f"a view is a name or {{name: {{option: value}}}}, not {step!r}")
