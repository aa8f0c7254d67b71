"""Smaller versions of a table's trainings and judgements: what `--scale` shortens, and in what way."""

from collections.abc import Mapping
from math import sqrt
from typing import Any

from soundviews.core.errors import SoundviewsError, option
from soundviews.recipes.reading import Page

SHORTEST_CLIP, SMALLEST_BATCH, FEWEST_SCENES, SCENES = 2.0, 4, 60, 500
LEAST_STEPS = {"warmup_steps": 1, "checkpoint_steps": 20, "keep_every": 20}  # a checkpoint takes longer than a step


def require_scale(scale: float) -> None:
    """Refuse what is no share of the whole table."""
    if not 0 < scale <= 1:
        raise SoundviewsError(f"{option('scale')} is above 0 and at most 1, not {scale:g}")


def said(scale: float) -> str:
    """What a scale below 1 shortens, as a sentence for pages and terminals."""
    return (
        f"Shortened by {scale:g}: steps and epochs times {scale:g}; batches, how many make a step, the seconds of a "
        f"clip and the epochs of protocols times its square root, {sqrt(scale):.3g} (at least {SMALLEST_BATCH} clips, "
        f"{SHORTEST_CLIP:g} s and 1 epoch). The recordings that are given are used whole; of the built-in scenes there "
        f"are {scenes(scale)}."
    )


def scenes(scale: float) -> int:
    """How many built-in scenes stand in."""
    return max(FEWEST_SCENES, round(SCENES * sqrt(scale)))


def shortened(page: Page, scale: float) -> dict[str, Any]:
    """Overrides of an encoder's recipe, by `section.key`."""
    if scale == 1:
        return {}
    changes = {f"training.{key}": value for key, value in _training(page["training"], scale).items()}
    changes["audio.clip_seconds"] = _clip(page["audio"]["clip_seconds"], scale)
    if page.get("evaluation"):
        changes["evaluation.steps"] = max(LEAST_STEPS["checkpoint_steps"], round(page["evaluation"]["steps"] * scale))
    return changes


def shortened_separator(page: Page, scale: float) -> dict[str, Any]:
    """Overrides of a separator's recipe: its processors stay in their order, each at a step of its own."""
    if scale == 1:
        return {}
    changes = {f"training.{key}": value for key, value in _training(page["training"], scale).items()}
    for section, key in (("audio", "clip_seconds"), ("mixtures", "seconds")):
        changes[f"{section}.{key}"] = _clip(page[section][key], scale)
    latest, counted = 0, {name: at for name, at in page["processors"].items() if isinstance(at, int) and at > 0}
    for name, at in sorted(counted.items(), key=lambda item: item[1]):
        latest = max(latest + 1, round(at * scale))
        changes[f"processors.{name}"] = latest
    if "training.steps" in changes:
        changes["training.steps"] = max(latest + 1, changes["training.steps"])
    return changes


def shortened_options(options: Mapping[str, Any], scale: float) -> dict[str, Any]:
    """A protocol's options, its epochs fewer."""
    if scale == 1 or "epochs" not in options:
        return dict(options)
    return {**options, "epochs": max(1, round(options["epochs"] * sqrt(scale)))}


def _training(training: Mapping[str, Any], scale: float) -> dict[str, Any]:
    changes: dict[str, Any] = {
        key: max(least, round(training[key] * scale)) for key, least in LEAST_STEPS.items() if training.get(key)
    }
    if training.get("steps"):
        changes["steps"] = max(2, round(training["steps"] * scale))
    else:
        changes["epochs"] = training["epochs"] * scale
    for key, least in (("batch_size", SMALLEST_BATCH), ("accumulate", 1)):
        if key in training:
            changes[key] = min(training[key], max(least, round(training[key] * sqrt(scale))))
    if training.get("clips_per_step"):
        batches = training["clips_per_step"] / training["batch_size"]
        changes["clips_per_step"] = changes["batch_size"] * max(1, round(batches * sqrt(scale)))
    return changes


def _clip(seconds: float, scale: float) -> float:
    return float(min(seconds, max(SHORTEST_CLIP, round(seconds * sqrt(scale), 1))))
