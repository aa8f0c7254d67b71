"""The form of every bundle: `config.json` and `model.safetensors` in one directory, written both or neither."""

import hashlib
from pathlib import Path

import safetensors.torch
from pydantic import BaseModel
from torch import Tensor

from soundviews.core.errors import SoundviewsError, words
from soundviews.core.files import folder_written_whole, take_up
from soundviews.core.locks import locked
from soundviews.core.shipped import hint_of_names, locate


def write_bundle(directory: Path, config: BaseModel, tensors: dict[str, Tensor]) -> Path:
    """`config.json` and `model.safetensors` in place of any older bundle, both or neither.

    Raises:
        SoundviewsError: something else is there, another process is writing it, or there is no room; an older bundle
            stays.
    """
    if directory.exists() and any(directory.iterdir()) and not (directory / "config.json").is_file():
        raise SoundviewsError(f"{directory} exists and is no bundle; it is left as it is")
    copies = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    try:
        with locked(directory), folder_written_whole(directory, replace=True) as building:
            safetensors.torch.save_file(copies, building / "model.safetensors")
            (building / "model.safetensors").chmod(0o644)  # it is made for its owner alone
            (building / "config.json").write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except safetensors.SafetensorError as error:
        raise SoundviewsError(f"cannot write {directory}: {error}") from error
    return directory


def find_bundle(path: str | Path) -> Path:
    """The bundle at `path`, or inside the run at `path`, or of the encoder of that name that comes with the package."""
    path = locate(path)
    for folder in (path, path / "bundle"):
        take_up(folder)
        if (folder / "config.json").is_file() and (folder / "model.safetensors").is_file():
            return folder
    is_run = all((path / name).is_file() for name in ("recipe.yaml", "environment.json"))
    if is_run and not (path / "processors").is_dir():
        so_far = words(f"soundviews export {path}", f"soundviews.export({str(path)!r})")
        raise SoundviewsError(f"the run {path} is not finished, so it has no bundle yet; its encoder so far: {so_far}")
    raise SoundviewsError(
        f"no bundle at {path}: looked for config.json and model.safetensors there and in {path / 'bundle'}"
        f"{hint_of_names(path)}"
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
