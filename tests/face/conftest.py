"""A labelled folder, and a model small enough to judge in a test."""

import numpy as np
import pytest
import torch

from soundviews.core import shipped
from soundviews.core.component import Component
from soundviews.encoders import create_encoder
from soundviews.model import Model
from soundviews.model.bundle import save_bundle
from soundviews.model.config import BundleConfig
from soundviews.recipes.schema import Statistics, WindowSettings


@pytest.fixture
def folder(write_audio, tmp_path):
    """Three classes of tones as sub-folders, 8 kHz."""
    for name, pitch in (("high", 3000), ("low", 300), ("middle", 1000)):
        for number in range(10):
            time = np.arange(3000 + 150 * number) / 8000
            samples = 0.3 * np.sin(2 * np.pi * pitch * time)
            write_audio(f"sounds/{name}/{number}.wav", samples=samples, sample_rate=8000)
    return tmp_path / "sounds"


@pytest.fixture
def tiny_model() -> Model:
    """A random vgg_like on windows of 0.2 s at 8 kHz."""
    config = BundleConfig(
        sample_rate=8000,
        level="peak",
        fill="repeat",
        features={"n_fft": 256, "window_length": 256, "hop_length": 80, "n_mels": 16, "f_min": 50, "f_max": 3900},
        windows=WindowSettings(unit="waveform", size=1600, hop=1600, crop=1600, tail="drop"),
        statistics=Statistics(mean=-3.0, std=3.0),
        encoder=Component(name="vgg_like"),
        embedding_size=512,
        recipe="test",
    )
    torch.manual_seed(0)
    return Model(config, create_encoder("vgg_like"), name="tiny", fingerprint="tiny")


@pytest.fixture
def random_base(tiny_model, tmp_path, monkeypatch):
    """The only encoder that comes with the package is called `base`, and its weights are random."""
    folder = save_bundle(tmp_path / "package" / "base", tiny_model.config, tiny_model.encoder)
    monkeypatch.setattr(shipped, "SHIPPED", folder.parent)
