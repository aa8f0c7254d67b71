"""Encoders: patches (batch, 1, frames, mels) -> embeddings h (batch, embedding_size).

To add one: a file here whose class or function is registered.
"""

from typing import Any

from torch import nn

from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import import_all
from soundviews.encoders.base import encoders
from soundviews.encoders.timm_encoder import TimmEncoder

__all__ = ["create_encoder", "encoders", "list_encoders"]

import_all(__name__, __path__)


def list_encoders() -> list[str]:
    """Names that `create_encoder` knows. Beside these it takes `timm/NAME` for every backbone of timm."""
    return encoders.names()


def create_encoder(name: str, **options: Any) -> nn.Module:
    """Build an encoder with random weights.

    Args:
        name: One of `list_encoders()`, or `timm/NAME`.
        options: The encoder's own keyword arguments.

    Returns:
        A module (batch, 1, frames, mels) -> (batch, embedding_size) with the attribute `embedding_size`.

    Raises:
        SoundviewsError: for an unknown name or option; it names the nearest right one.
    """
    if not name.startswith("timm/"):
        return encoders.create(name, options)
    try:
        return TimmEncoder(name.removeprefix("timm/"), **options)
    except (TypeError, ValueError) as error:
        raise SoundviewsError(f"encoder {name!r}: {error}") from error
