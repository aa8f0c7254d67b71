"""The form of every bundle: `config.json` and `model.safetensors` in one directory, written both or neither."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import safetensors.torch
from pydantic import BaseModel
from torch import Tensor

from soundviews.core.errors import SoundviewsError


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


def bundle_hash(path: str | Path) -> str:
    """16 hexadecimal digits that change when the weights or the settings change."""
    directory = find_bundle(path)
    digest = hashlib.blake2b(digest_size=8)
    for name in ("config.json", "model.safetensors"):
        with open(directory / name, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
