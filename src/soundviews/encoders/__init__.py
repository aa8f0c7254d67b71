"""Encoders: patches (batch, 1, frames, mels) -> embeddings h (batch, embedding_size).

To add one: a file here (or a module of your own, see docs/components.md) whose class or function is registered. It
makes a module with the attribute `embedding_size`. An option `pretrained` is for those who fetch their weights: where
the weights come from elsewhere (a bundle) or from nowhere (a random encoder), it is turned off.
"""

from collections.abc import Mapping
from typing import Any

from torch import nn

from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import import_all
from soundviews.encoders.base import encoders
from soundviews.encoders.timm_encoder import TimmEncoder

__all__ = ["create_architecture", "create_encoder", "encoders", "list_encoders", "register"]

register = encoders.register

import_all(__name__, __path__)


def list_encoders() -> list[str]:
    """Names that `create_encoder` knows. Beside these it takes `timm/NAME` for every backbone of timm."""
    return encoders.names()


def create_encoder(name: str, **options: Any) -> nn.Module:
    """Build an encoder, with random weights unless its option `pretrained` fetches others.

    Args:
        name: One of `list_encoders()`, or `timm/NAME`.
        options: The encoder's own keyword arguments.

    Returns:
        A module (batch, 1, frames, mels) -> (batch, embedding_size) with the attribute `embedding_size`.

    Raises:
        SoundviewsError: for an unknown name or option; it names the nearest right one.
    """
    size = options.get("embedding_size")
    if isinstance(size, int) and size < 1:
        raise SoundviewsError(f"encoder {name!r}: embedding_size is 1 or more, not {size}")
    if not name.startswith("timm/"):
        encoder: nn.Module = encoders.create(name, options)
        return encoder
    try:
        return TimmEncoder(name.removeprefix("timm/"), **options)
    except (TypeError, ValueError) as error:
        raise SoundviewsError(f"encoder {name!r}: {error}") from error


def create_architecture(name: str, options: Mapping[str, Any]) -> nn.Module:
    """Build an encoder whose weights are random or about to be replaced: nothing is fetched."""
    changes = {"pretrained": False} if options.get("pretrained") else {}
    return create_encoder(name, **{**options, **changes})
