"""A bundle: an encoder ready to use, as `config.json` and `model.safetensors` in one directory."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import safetensors.torch
from pydantic import BaseModel, ValidationError
from torch import Tensor, nn

from soundviews.bundle_config import BundleConfig
from soundviews.encoders import create_encoder
from soundviews.errors import SoundviewsError
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


def write_bundle(directory: Path, config: BaseModel, tensors: dict[str, Tensor]) -> Path:
    """`config.json` and `model.safetensors` in place of any older bundle, both or neither.

    Raises:
        SoundviewsError: something else is there, or there is no room; an older bundle stays.
    """
    if directory.exists() and any(directory.iterdir()) and not (directory / "config.json").is_file():
        raise SoundviewsError(f"{directory} exists and is no bundle; it is left as it is")
    directory.parent.mkdir(parents=True, exist_ok=True)
    own = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    building = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        safetensors.torch.save_file(own, building / "model.safetensors")
        (building / "config.json").write_text(config.model_dump_json(indent=2) + "\n")
        building.chmod(0o755)
        (building / "model.safetensors").chmod(0o644)  # both are made for their owner alone
        if directory.exists():
            shutil.rmtree(directory)
        os.replace(building, directory)
    except safetensors.SafetensorError as error:
        raise SoundviewsError(f"cannot write {directory}: {error}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return directory


def find_bundle(path: str | Path) -> Path:
    """The bundle at `path`, or inside the run at `path`."""
    path = Path(path)
    for place in (path, path / "bundle"):
        if (place / "config.json").is_file() and (place / "model.safetensors").is_file():
            return place
    raise SoundviewsError(
        f"no bundle at {path}: looked for config.json and model.safetensors there and in {path / 'bundle'}"
    )


def load_bundle(path: str | Path) -> tuple[BundleConfig, nn.Module, nn.Module | None]:
    """Read a bundle or a run's bundle.

    Returns:
        The config, the encoder in evaluation mode, and the head (None where the bundle has none).
    """
    directory = find_bundle(path)
    try:
        page = json.loads((directory / "config.json").read_text())
        if isinstance(page, dict) and page.get("kind") == "processor":
            raise SoundviewsError(f"{directory} is a processor, which separates; an encoder's bundle is expected here")
        config = BundleConfig.model_validate(page)
        tensors = safetensors.torch.load_file(directory / "model.safetensors")
    except (ValidationError, ValueError, safetensors.SafetensorError) as error:
        raise SoundviewsError(f"{directory} is not a bundle that this version reads: {error}") from error
    encoder = create_encoder(config.encoder.name, **config.encoder.options)
    _load_part(encoder, tensors, "encoder.", directory)
    head = None
    if config.head is not None:
        head = objectives.create(config.head.name, config.head.options, embedding_size=config.embedding_size)
        _load_part(head, tensors, "head.", directory)
        head.eval()
    return config, encoder.eval(), head


def _load_part(module: nn.Module, tensors: dict[str, Any], prefix: str, directory: Path) -> None:
    state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise SoundviewsError(f"{directory}: the weights do not fit config.json: {error}") from error


def bundle_hash(path: str | Path) -> str:
    """16 hexadecimal digits that change when the weights or the settings change."""
    directory = find_bundle(path)
    digest = hashlib.blake2b(digest_size=8)
    for name in ("config.json", "model.safetensors"):
        with open(directory / name, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
