"""Whether a recipe's parts fit one another: the encoder its patches, `inference` the views, found out on no data."""

import logging

import torch
from pydantic import ValidationError
from torch import nn

from soundviews.core.component import component
from soundviews.core.errors import SoundviewsError
from soundviews.features import FrontEnd
from soundviews.recipes.building import Parts
from soundviews.recipes.optimization import create_optimizer, create_schedule
from soundviews.recipes.schema import Inference, Length, Recipe, RecipePage, Unit, WindowSettings, explain
from soundviews.views.pipeline import Branch, TwoViews

logger = logging.getLogger(__name__)

UNITS: dict[str, Unit] = {"samples": "waveform", "frames": "spectrogram"}
TOLERANCE = 0.05  # of a window: cola itself learns from 1 s and judges with 0.98 s
LEVELS = {"l2_clip": ("l2_clip", "l2_window")}  # what agrees with a level of the views beside itself


def require_optimizer(training: Length) -> None:
    """Build optimiser and schedule for one weight.

    Raises:
        SoundviewsError: an unknown name or option, or a value that cannot be.
    """
    optimizer = create_optimizer(training.optimizer, [nn.Parameter(torch.zeros(1))])
    create_schedule(training.schedule, optimizer, 1, 0)


def derive_inference(page: RecipePage, parts: Parts) -> Inference:
    """`inference` as the page says it, and where it does not, as the anchor's steps make it.

    The level is that of the last step that sets one; windows are as long as what the views cut out of a clip, one
    beside the other, and a last, incomplete one is dropped. What the page says and its views contradict is warned of.

    Raises:
        SoundviewsError: the views cut nothing out and the page does not say how, or what it says cannot be.
    """
    stated, levels = page.inference, [_level(branch) for branch in parts.views.branches]
    level = stated.level or levels[0]
    if not any(level in LEVELS.get(set_by_views, (set_by_views,)) for set_by_views in levels):
        _warn(page, f"inference.level is {level}, but its views set {' and '.join(dict.fromkeys(levels))}")
    windows = _derive_windows(page, parts)
    if level == "l2_window" and windows.unit == "spectrogram":
        raise SoundviewsError(
            f"recipe {page.name!r}: inference.level l2_window sets the level of each window's waveform, so it needs "
            "inference.windows.unit waveform, not spectrogram"
        )
    return Inference.model_validate({"level": level, "pool": stated.pool, "windows": windows.model_dump()})


def _derive_windows(page: RecipePage, parts: Parts) -> WindowSettings:
    stated, cuts = page.inference.windows, _cuts(parts.views)
    if not cuts and not (stated.unit and stated.size):
        raise SoundviewsError(
            f"recipe {page.name!r}: its views have no step that cuts a window out of a clip, such as crop or patch: "
            "say inference.windows.unit and .size"
        )
    unit = stated.unit or cuts[0][0]
    if cuts and unit != cuts[0][0]:
        _warn(page, f"inference.windows.unit is {unit}, but its views cut the {cuts[0][0]}")
    sizes = [_converted(size, cut_unit, unit, parts.log_mel) for cut_unit, size in cuts]
    size = stated.size or sizes[0]
    crop = stated.crop or (sizes[0] if sizes else size)
    for key, value in (("size", size), ("crop", crop)):
        if sizes and all(abs(value - cut) > TOLERANCE * cut for cut in sizes):
            _warn(page, f"inference.windows.{key} is {value}, but its views cut {' or '.join(map(str, sizes))}")
    hop = stated.hop or size
    if hop > size:
        _warn(page, f"inference.windows.hop is {hop}, so that clips are not heard between windows of {size}")
    try:
        return WindowSettings(unit=unit, size=size, hop=hop, crop=crop, tail=stated.tail or "drop")
    except ValidationError as error:  # sizes that follow from the views
        wrong = explain(error, WindowSettings)
        raise SoundviewsError(f"recipe {page.name!r}: inference.windows, as its views cut them: {wrong}") from error


def require_fit(recipe: Recipe, parts: Parts) -> None:
    """Pass a patch of each branch and of `inference` through the encoder, which must be on the meta device.

    Raises:
        SoundviewsError: it cannot read them.
    """
    windows, log_mel = recipe.inference.windows, parts.log_mel
    cuts = {
        f"views.{name}": cut
        for name, branch in zip(_branch_names(recipe), parts.views.branches, strict=True)
        if (cut := _cut(branch)) is not None
    }
    cuts |= {f"inference.windows.{key}": (windows.unit, getattr(windows, key)) for key in ("size", "crop")}
    for source, (unit, size) in cuts.items():
        frames = _converted(size, unit, "spectrogram", log_mel)
        if frames < 1:
            raise SoundviewsError(
                f"recipe {recipe.name!r}: {source} cuts {size} samples, too few for one frame of the log-mel, which "
                f"needs {log_mel.samples(1)}"
            )
        _require_readable(recipe, parts.encoder, source, frames, log_mel.n_mels)


def _require_readable(recipe: Recipe, encoder: nn.Module, source: str, frames: int, mels: int) -> None:
    name, size = component(recipe.encoder).name, encoder.embedding_size
    patch = f"patches of {frames} frames and {mels} mel bands ({source}, features.n_mels)"
    try:
        h = encoder(torch.zeros(2, 1, frames, mels, device="meta"))
    except (SoundviewsError, RuntimeError, ValueError) as error:
        raise SoundviewsError(
            f"recipe {recipe.name!r}: encoder {name!r} does not take {patch}: {str(error).splitlines()[0]}"
        ) from error
    if h.shape != (2, size):
        raise SoundviewsError(
            f"encoder {name!r} gives {tuple(h.shape[1:])} for {patch}, not ({size},), its embedding_size"
        )


def _branch_names(recipe: RecipePage) -> list[str]:
    return ["anchor", "positive", *(f"further.{index}" for index in range(len(recipe.views.further)))]


def _level(branch: Branch) -> str:
    return next((view.level for _, view in reversed(branch.steps) if view.level is not None), "none")


def _cut(branch: Branch) -> tuple[Unit, int] | None:
    """Unit and size of what a branch cuts out of a clip: the last of its steps that does."""
    window = next((view.window for _, view in reversed(branch.steps) if view.window is not None), None)
    return None if window is None else (UNITS[window[0]], window[1])


def _cuts(views: TwoViews) -> list[tuple[Unit, int]]:
    """What the branches cut, the anchor's first."""
    return [cut for branch in views.branches if (cut := _cut(branch)) is not None]


def _converted(size: int, unit: Unit, to: Unit, log_mel: FrontEnd) -> int:
    """A window's size in the other unit, or as it is."""
    if unit == to:
        return size
    return log_mel.frames(size) if to == "spectrogram" else log_mel.samples(size)


def _warn(page: RecipePage, contradiction: str) -> None:
    logger.warning("recipe %r: %s", page.name, contradiction)
