"""The encoders that the authors of uclser released (vgg, crnn, resnet18) -> bundles.

A released file is a plain state dict of the encoder with its 20-way output layer, without the head. The patches
that it expects are standardised with FSDnoisy18k's statistics, which were never published, and with a deviation
that the original divided by the square root of the number of bins. The statistics written here stand in for them:
measured with the same front-end on ESC-50, folds 1-3, and scaled alike.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from soundviews.core.component import Component
from soundviews.core.errors import SoundviewsError
from soundviews.core.version import __version__
from soundviews.encoders import create_encoder
from soundviews.model.bundle import save_bundle
from soundviews.model.config import BundleConfig
from soundviews.recipes.schema import Statistics, WindowSettings

# What the released weights were trained with, whatever becomes of the recipe `uclser`.
FEATURES: dict[str, Any] = {
    "n_fft": 2048,
    "window_length": 660,
    "hop_length": 220,
    "window": "hamming",
    "center": True,
    "pad_mode": "reflect",
    "power": 2.0,
    "n_mels": 96,
    "f_min": 50,
    "f_max": 10500,
    "mel_scale": "slaney",
    "norm": None,
    "log": "log10",
    "floor": 1.1e-8,
    "floor_mode": "add",
    "waveform_offset": 1.1e-8,
}
WINDOWS = WindowSettings(unit="spectrogram", size=101, hop=50, crop=101, tail="drop")
SCALE_ERROR = 36_660  # sqrt of about 1.34e9 training bins
STATISTICS = Statistics(mean=-1.2025, std=2.8715 / SCALE_ERROR)


class Released(NamedTuple):
    """One released network: our encoder, a key that only its file has, its output layer, and the renames."""

    encoder: str
    sign: str
    output: str
    renames: dict[str, str]


NETWORKS = (
    Released("vgg_like", "conv0.conv.weight", "dense_out.", {r"^conv(\d)\.": r"blocks.\1.", r"^dense1\.": "dense."}),
    Released(
        "crnn",
        "rnn1.weight_ih_l0",
        "dense.",
        {r"^conv1\.": "blocks.0.", r"^conv2\.": "blocks.1.", r"^conv3\.": "blocks.2.", r"^rnn1\.": "gru."},
    ),
    Released("resnet18", "layer4.1.conv2.weight", "fc.", {"^": "backbone."}),
)


def convert_uclser20(checkpoint: str | Path, bundle: str | Path) -> BundleConfig:
    """Turn a released checkpoint into a bundle with uclser's front-end.

    Args:
        checkpoint: The .pth file. Only tensors are read from it; its code, if it had any, is not run.
        bundle: The directory to write.

    Returns:
        What was written into the bundle's `config.json`.

    Raises:
        SoundviewsError: if the file is missing, is no state dict, or is not of one of the three networks.
    """
    state = read_state(checkpoint)
    network = next((n for n in NETWORKS if n.sign in state), None)
    if network is None:
        signs = ", ".join(f"{n.sign} ({n.encoder})" for n in NETWORKS)
        raise SoundviewsError(f"{checkpoint} is none of uclser's released networks: looked for the keys {signs}")
    encoder = create_encoder(network.encoder)
    try:
        encoder.load_state_dict(_renamed(state, network))
    except RuntimeError as error:
        raise SoundviewsError(f"{checkpoint} looks like {network.encoder}, but does not fit it: {error}") from error
    embedding_size: Any = encoder.embedding_size
    config = BundleConfig(
        sample_rate=22050,
        level="peak",
        fill="repeat",
        features=FEATURES,
        windows=WINDOWS,
        statistics=STATISTICS,
        encoder=Component(name=network.encoder),
        embedding_size=embedding_size,
        recipe="uclser",
        created_by=f"soundviews {__version__} convert uclser20",
    )
    save_bundle(bundle, config, encoder)
    return config


def read_state(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict, whatever device its storages name, without running anything that the file brings."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise SoundviewsError(f"there is no file {path}") from error
    except (IsADirectoryError, PermissionError) as error:
        raise SoundviewsError(f"cannot read {path}: {error.strerror}") from error
    except Exception as error:  # a dozen kinds; their texts advise to load the file unsafely
        raise SoundviewsError(
            f"cannot read {path}: it is damaged, or not a PyTorch checkpoint that holds tensors only"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise SoundviewsError(f"{path} is no plain state dict: names with a tensor each are expected")
    return state


def _renamed(state: dict[str, Tensor], network: Released) -> dict[str, Tensor]:
    """The encoder's part of a released state dict, under our names."""
    renamed = {}
    for key, value in state.items():
        if not key.startswith(network.output):
            for pattern, name in network.renames.items():
                key = re.sub(pattern, name, key)
            renamed[key] = value
    return renamed
