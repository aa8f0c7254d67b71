"""Any encoder with the functions of HEAR 2021 (hearbenchmark.com/hear-api.html), judged as ours are.

A module has `load_model(model_file_path)`, whose model has `sample_rate` and `scene_embedding_size`, and
`get_scene_embeddings(audio, model)`: one embedding for each whole clip.
"""

import hashlib
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from soundviews.core.errors import SoundviewsError
from soundviews.features.patches import Clips

MOST_KEPT = 1 << 28  # bytes of embeddings that a model remembers


class HearModel:
    """A module with the HEAR functions as the protocols on frozen embeddings want it.

    Its fingerprint is empty, because nobody can tell whether foreign code and what it reads are the same as last
    time: nothing is kept on disk. Within one process a clip that was embedded before is known by its samples, so
    that several protocols and seeds embed a corpus once.
    """

    fingerprint = ""
    head = None

    def __init__(self, module: ModuleType, model: Any, name: str, device: str | torch.device = "cpu") -> None:
        self.module, self.model, self.name, self.device = module, model, name, torch.device(device)
        self.sample_rate = _positive_integer(model, "sample_rate", name)
        self.embedding_size = _positive_integer(model, "scene_embedding_size", name)
        if isinstance(model, torch.nn.Module):
            self.model = model.to(self.device).eval()
        self._kept: dict[bytes, NDArray[np.float32]] = {}

    def embed_clips(self, clips: Clips, space: str = "h") -> tuple[Tensor, Tensor, Tensor]:
        """As `Model.embed_clips`, with one window a clip: vectors (batch, embedding_size).

        The module sees each clip at its own length, without the zeros that fill a batch: only clips of the same
        length go in together. Clips beyond full scale are scaled down to it, since HEAR's audio lies in [-1, 1].

        Raises:
            SoundviewsError: the module raises, or what it returns is not (n, embedding_size) and finite.
        """
        if space != "h":
            raise SoundviewsError(f"{self.name} has no head, so there is no {space}: use h")
        samples, lengths = clips.samples.cpu(), clips.lengths.cpu()
        samples = samples / samples.abs().amax(dim=1, keepdim=True).clamp_min(1.0)
        vectors = np.empty((len(samples), self.embedding_size), dtype=np.float32)
        for length in lengths.unique().tolist():
            rows = (lengths == length).nonzero()[:, 0]
            vectors[rows.numpy()] = self._embed_once(samples[rows, :length])
        return torch.from_numpy(vectors), torch.arange(len(vectors)), torch.zeros(len(vectors))

    def _embed_once(self, audio: Tensor) -> NDArray[np.float32]:
        """Embeddings of clips (n, samples) of one length, remembered where they were embedded before."""
        keys = [hashlib.blake2b(clip.numpy().tobytes(), digest_size=16).digest() for clip in audio]
        new = [row for row, key in enumerate(keys) if key not in self._kept]
        computed = dict(zip([keys[row] for row in new], self._call(audio[new]), strict=True)) if new else {}
        vectors = np.stack([computed[key] if key in computed else self._kept[key] for key in keys])
        if (len(self._kept) + len(computed)) * vectors[0].nbytes <= MOST_KEPT:
            self._kept |= computed
        return vectors

    def _call(self, audio: Tensor) -> NDArray[np.float32]:
        """What the module makes of clips (n, samples), as float32 (n, embedding_size)."""
        try:
            with torch.no_grad():
                embeddings = self.module.get_scene_embeddings(self._as_input(audio), self.model)
            embeddings = embeddings.detach().float().cpu() if isinstance(embeddings, Tensor) else embeddings
            vectors = np.asarray(embeddings, dtype=np.float32)
        except Exception as error:  # foreign code may raise anything
            shape = f"{tuple(audio.shape)} at {self.sample_rate} Hz"
            raise SoundviewsError(f"{self.name}: get_scene_embeddings of {shape} raised {_named(error)}") from error
        if vectors.shape != (len(audio), self.embedding_size):
            raise SoundviewsError(
                f"{self.name}: get_scene_embeddings of {len(audio)} clips returned {vectors.shape}, "
                f"not {(len(audio), self.embedding_size)} as scene_embedding_size says"
            )
        if not np.isfinite(vectors).all():
            raise SoundviewsError(f"{self.name}: get_scene_embeddings returned NaN or infinite values")
        return vectors

    def _as_input(self, audio: Tensor) -> Any:
        """A tensor where the model lives: PyTorch's, or TensorFlow's for a model of TensorFlow."""
        tensorflow = sys.modules.get("tensorflow")
        if tensorflow is not None and isinstance(self.model, tensorflow.Module):
            return tensorflow.convert_to_tensor(audio.numpy())
        return audio.to(self.device)


def load_hear(module: str, weights: str = "", device: str | torch.device = "cpu") -> HearModel:
    """Import a module, also one in the working directory, and load its model.

    Args:
        module: Its name as an import statement has it.
        weights: A file for `load_model`; without one it is called with nothing, as HEAR's own program does.

    Raises:
        SoundviewsError: no such module or file, no such functions, or what the module raised.
    """
    loaded = _import(module)
    for function in ("load_model", "get_scene_embeddings"):
        if not callable(getattr(loaded, function, None)):
            raise SoundviewsError(f"hear:{module}: the module has no function {function}")
    if weights and not Path(weights).exists():
        raise SoundviewsError(f"hear:{module}: there is no file {weights}")
    try:
        model = loaded.load_model(weights) if weights else loaded.load_model()
    except Exception as error:  # foreign code may raise anything
        hint = "" if weights else f"; where it needs a file of weights: hear:{module}@FILE"
        raise SoundviewsError(f"hear:{module}: load_model raised {_named(error)}{hint}") from error
    return HearModel(loaded, model, f"{module}@{Path(weights).name}" if weights else module, device)


def _import(module: str) -> ModuleType:
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.append(os.getcwd())  # the command's own path is where it is installed
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            raise SoundviewsError(
                f"hear:{module}: no module {error.name} is installed or lies in {os.getcwd()}"
            ) from error
        raise SoundviewsError(f"hear:{module}: it cannot be imported: {_named(error)}") from error
    except Exception as error:  # foreign code may raise anything
        raise SoundviewsError(f"hear:{module}: it cannot be imported: {_named(error)}") from error


def _positive_integer(model: Any, attribute: str, name: str) -> int:
    value = getattr(model, attribute, None)
    try:
        number = int(value)  # type: ignore[arg-type]
        if number < 1 or number != value:
            raise ValueError
    except (TypeError, ValueError, RuntimeError):
        wrong = "none" if value is None else repr(value)
        raise SoundviewsError(f"hear:{name}: its model's {attribute} must be a whole number, and is {wrong}") from None
    return number


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
