"""What can be judged: a bundle, a run, the log-mel statistics, a HEAR module, or a model that is open already."""

import copy
from pathlib import Path
from typing import Any

import torch

from soundviews.core.devices import chosen_device
from soundviews.core.errors import SoundviewsError, option
from soundviews.evaluation.baselines import LogMelPatches, LogMelStatistics
from soundviews.evaluation.embeddings import Embeds
from soundviews.evaluation.hear import load_hear
from soundviews.model import Model, load

LOG_MEL, LOG_MEL_OF, HEAR = "logmel", "logmel:", "hear:"

Source = str | Path | Embeds
"""What `open_model` takes."""


def open_model(source: Source, device: str | torch.device = "cpu", hop: int | None = None) -> Any:
    """A model for the protocols, as `Embeds` says.

    Args:
        source: The path of a bundle or of a run that has one; "logmel", the statistics every encoder must beat;
            "logmel:RECIPE", the log-mel spectrogram that the encoder of a recipe hears, as it is; "hear:MODULE" or
            "hear:MODULE@WEIGHTS", an importable module with HEAR's functions and a file for its `load_model`; or a
            `Model`, of which a copy is moved to the device if it is elsewhere; or any object with
            what `Embeds` says, which is taken as it is.
        device: Where to compute; "auto" is the GPU where there is one.
        hop: Distance of the windows, in the bundle's own unit (frames or samples); None leaves it.

    Raises:
        SoundviewsError: there is none, it cannot be loaded, or it has no windows whose distance could be changed.
    """
    model = _opened(source, torch.device(chosen_device(device) if isinstance(device, str) else device))
    if hop is None:
        return model
    if not isinstance(model, Model):
        raise SoundviewsError(f"{model.name} has one window a clip: it takes no {option('hop')}")
    return model.replace(windows=model.config.windows.model_copy(update={"hop": hop}))


def source_name(source: Source) -> str:
    """The text or path as it was given, or an opened model's name."""
    return str(source) if isinstance(source, str | Path) else source.name


def _opened(source: Source, device: torch.device) -> Any:
    if isinstance(source, Model):
        return source if source.device == device else copy.deepcopy(source).to(device)
    if hasattr(source, "embed_clips"):
        return source
    text = str(source)
    if text == LOG_MEL:
        return LogMelStatistics()
    if text.startswith(LOG_MEL_OF):
        return LogMelPatches(text.removeprefix(LOG_MEL_OF))
    if text.startswith(HEAR):
        module, _, weights = text.removeprefix(HEAR).partition("@")
        if not module:
            raise SoundviewsError(f"{text!r} names no module: write hear:MODULE or hear:MODULE@WEIGHTS")
        return load_hear(module, weights, device)
    return load(text, device=device)
