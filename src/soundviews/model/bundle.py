"""A bundle: an encoder ready to use, as `config.json` and `model.safetensors` in one directory."""

from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from soundviews.core.bundle_files import find_bundle, write_bundle
from soundviews.core.components import naming_uses
from soundviews.core.errors import SoundviewsError
from soundviews.core.newer import naming_newer
from soundviews.core.pages import read_json
from soundviews.core.weights import naming_bundle, require_exact
from soundviews.encoders import create_architecture
from soundviews.features.registry import create_front_end
from soundviews.model.config import FORMAT, BundleConfig
from soundviews.objectives import objectives
from soundviews.recipes.schema import explain

LONGEST_SECONDS = 600.0  # of a window and from one to the next


def save_bundle(directory: str | Path, config: BundleConfig, encoder: nn.Module, head: nn.Module | None = None) -> Path:
    """Write a bundle whole or not at all: it is built beside its place and moved there.

    Floating-point weights are written as `config.weights` says; float16 halves the file.

    Args:
        directory: Where it goes; an older bundle there is replaced.
        encoder: The module that `config.encoder` names.
        head: The objective that `config.head` names, kept so that protocols on z can run; may be None.
    """
    parts = {"encoder": encoder} | ({"head": head} if head is not None else {})
    tensors = {f"{part}.{key}": value for part, module in parts.items() for key, value in module.state_dict().items()}
    if config.weights == "float16":
        tensors = {
            name: _halved(name, tensor) if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
        }
    return write_bundle(Path(directory), config, tensors)


def _halved(name: str, tensor: Tensor) -> Tensor:
    half = tensor.half()
    if not half.isfinite().all():
        raise SoundviewsError(f"{name} has values that float16 cannot hold: write the bundle with weights float32")
    return half


def load_bundle(path: str | Path) -> tuple[BundleConfig, nn.Module, nn.Module | None]:
    """Read a bundle or a run's bundle.

    Returns:
        The config, the encoder in evaluation mode, and the head (None where the bundle has none).

    Raises:
        SoundviewsError: there is none, or it cannot be right: a setting out of its bounds, windows that the encoder
            does not take, weights of other names, shapes or types than its modules have, or that are not finite.
    """
    directory = find_bundle(path)
    try:
        page = read_json(directory / "config.json")
    except ValueError as error:
        raise SoundviewsError(f"{directory} is not a bundle that this version reads: config.json: {error}") from error
    if not isinstance(page, dict):
        raise SoundviewsError(f"{directory} is not a bundle that this version reads: config.json is no object")
    if page.get("kind") == "processor":
        raise SoundviewsError(f"{directory} is a processor, which separates; an encoder's bundle is expected here")
    with naming_newer(page.get("created_by"), directory):
        return _read(directory, page)


def _read(directory: Path, page: dict[str, Any]) -> tuple[BundleConfig, nn.Module, nn.Module | None]:
    try:
        config = BundleConfig.model_validate(page)
    except ValidationError as error:
        wrong = explain(error, BundleConfig)
        raise SoundviewsError(f"{directory} is not a bundle that this version reads: config.json: {wrong}") from error
    if config.format > FORMAT:
        raise SoundviewsError(f"{directory} has format {config.format}, and this version reads up to {FORMAT}")
    try:
        tensors = safetensors.torch.load_file(directory / "model.safetensors")
    except (ValueError, KeyError, safetensors.SafetensorError) as error:
        raise SoundviewsError(f"{directory} is not a bundle that this version reads: {error}") from error
    with naming_bundle(directory), naming_uses(config.uses, "it"):
        with torch.device("meta"):  # takes no memory, whatever sizes config.json says
            planned = _build(config)
            _require_windows(config, planned["encoder"])
        require_exact(tensors, planned, half=config.weights == "float16")
        # The weights that are drawn are replaced; nobody's draws may change by it.
        with torch.random.fork_rng(devices=[]):
            modules = _build(config)
        modules.load_state_dict(tensors)
    modules.eval()
    head = modules["head"] if config.head is not None else None
    return config, modules["encoder"], head


def _build(config: BundleConfig) -> nn.ModuleDict:
    """Encoder and head, their weights still to be read."""
    encoder = create_architecture(config.encoder.name, config.encoder.options)
    if encoder.embedding_size != config.embedding_size:
        raise SoundviewsError(
            f"config.json says embedding_size {config.embedding_size}, and its encoder {config.encoder.name!r} gives "
            f"{encoder.embedding_size}"
        )
    modules = nn.ModuleDict({"encoder": encoder})
    if config.head is not None:
        options = config.head.options
        modules["head"] = objectives.create(config.head.name, options, embedding_size=config.embedding_size)
    return modules


def _require_windows(config: BundleConfig, encoder: nn.Module) -> None:
    """Refuse windows that are no patch, or none that the encoder, on the meta device, takes."""
    with torch.device("cpu"):
        log_mel = create_front_end(config.features, config.sample_rate)
    windows = config.windows
    spectrogram = windows.unit == "spectrogram"
    longest = max(windows.size, windows.hop, windows.crop) * (log_mel.hop_length if spectrogram else 1)
    if longest > LONGEST_SECONDS * config.sample_rate:
        raise SoundviewsError(f"config.json says windows of more than {LONGEST_SECONDS:g} s")
    frames = windows.size if spectrogram else log_mel.frames(windows.size)
    if frames < 1:
        raise SoundviewsError(
            f"config.json says windows.size {windows.size}, too few samples for one frame, which needs "
            f"{log_mel.samples(1)}"
        )
    h = encoder.eval()(torch.zeros(2, 1, frames, log_mel.n_mels))
    if h.shape != (2, config.embedding_size):
        raise SoundviewsError(f"its encoder gives {tuple(h.shape[1:])} for a window, not ({config.embedding_size},)")
