"""What may stand on the command line where an encoder is judged: a bundle, a run, logmel, or a HEAR module."""

from typing import Any

import torch

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.hear import load_hear
from soundviews.model import load

LOG_MEL, HEAR = "logmel", "hear:"


def open_model(text: str, device: str | torch.device = "cpu") -> Any:
    """A model for the protocols, as `Embeds` says.

    Args:
        text: The path of a bundle or of a run that has one; `logmel`, the statistics every encoder must beat;
            `hear:MODULE` or `hear:MODULE@WEIGHTS`, an importable module with HEAR's functions and a file for its
            `load_model`.

    Raises:
        SoundviewsError: there is none, or it cannot be loaded.
    """
    if text == LOG_MEL:
        return LogMelStatistics()
    if text.startswith(HEAR):
        module, _, weights = text.removeprefix(HEAR).partition("@")
        if not module:
            raise SoundviewsError(f"{text!r} names no module: write hear:MODULE or hear:MODULE@WEIGHTS")
        return load_hear(module, weights, device)
    return load(text, device)
