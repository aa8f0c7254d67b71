"""A bundle: an encoder ready to use, as `config.json` and `model.safetensors` in one directory."""

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from pydantic import ValidationError
from torch import nn

from soundviews.core.bundle_files import find_bundle, write_bundle
from soundviews.core.components import naming_uses
from soundviews.core.errors import SoundviewsError
from soundviews.core.newer import naming_newer
from soundviews.encoders import create_architecture
from soundviews.features.registry import LOG_MEL, front_ends
from soundviews.model.config import FORMAT, BundleConfig
from soundviews.objectives import objectives


def save_bundle(directory: str | Path, config: BundleConfig, encoder: nn.Module, head: nn.Module | None = None) -> Path:
    """Write a bundle whole or not at all: it is built beside its place and moved there.

    Args:
        directory: Where it goes; an older bundle there is replaced.
        encoder: The module that `config.encoder` names.
        head: The objective that `config.head` names, kept so that protocols on z can run; may be None.
    """
    parts = {"encoder": encoder} | ({"head": head} if head is not None else {})
    tensors = {f"{part}.{key}": value for part, module in parts.items() for key, value in module.state_dict().items()}
    return write_bundle(Path(directory), config, tensors)


def load_bundle(path: str | Path) -> tuple[BundleConfig, nn.Module, nn.Module | None]:
    """Read a bundle or a run's bundle.

    Returns:
        The config, the encoder in evaluation mode, and the head (None where the bundle has none).
    """
    directory = find_bundle(path)
    try:
        page = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise SoundviewsError(f"{directory} is not a bundle that this version reads: {error}") from error
    if not isinstance(page, dict):
        raise SoundviewsError(f"{directory} is not a bundle that this version reads: config.json is no object")
    if page.get("kind") == "processor":
        raise SoundviewsError(f"{directory} is a processor, which separates; an encoder's bundle is expected here")
    with naming_newer(page.get("created_by"), directory):
        return _read(directory, page)


def _read(directory: Path, page: dict[str, Any]) -> tuple[BundleConfig, nn.Module, nn.Module | None]:
    try:
        config = BundleConfig.model_validate(page)
        tensors = safetensors.torch.load_file(directory / "model.safetensors")
    except (ValidationError, ValueError, safetensors.SafetensorError) as error:
        raise SoundviewsError(f"{directory} is not a bundle that this version reads: {error}") from error
    if config.format > FORMAT:
        raise SoundviewsError(f"{directory} has format {config.format}, and this version reads up to {FORMAT}")
    with naming_uses(config.uses, str(directory)):
        encoder, head = _build(config)
    _load_part(encoder, tensors, "encoder.", directory)
    if head is not None:
        _load_part(head, tensors, "head.", directory)
        head.eval()
    return config, encoder.eval(), head


def _build(config: BundleConfig) -> tuple[nn.Module, nn.Module | None]:
    """Encoder and head, their weights still to be read."""
    front_ends.get(str(config.features.get("front_end", LOG_MEL)))  # the model needs it, too
    with torch.random.fork_rng(devices=[]):  # the weights that are drawn are replaced; nobody's draws may change by it
        encoder = create_architecture(config.encoder.name, config.encoder.options)
        if config.head is None:
            return encoder, None
        return encoder, objectives.create(config.head.name, config.head.options, embedding_size=config.embedding_size)


def _load_part(module: nn.Module, tensors: dict[str, Any], prefix: str, directory: Path) -> None:
    state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise SoundviewsError(f"{directory}: the weights do not fit config.json: {error}") from error
