"""A labelled corpus of tones that a random encoder can tell apart, and a model small enough to train in a test."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from soundviews.audio.corpus import Corpus
from soundviews.core.component import Component
from soundviews.encoders import create_encoder
from soundviews.model import Model
from soundviews.model.config import BundleConfig
from soundviews.recipes.schema import Statistics, WindowSettings

PITCHES = {"high": 3000.0, "low": 300.0, "middle": 1000.0}
CLIPS = 8  # of each class; two in each of four folds


@pytest.fixture
def tones(write_audio: Callable[..., Path], tmp_path: Path) -> Corpus:
    """24 clips of 0.5 to 1 s, 8 kHz, three classes of pitch, folds 1 to 4, splits train and test."""
    rng, paths, labels = np.random.default_rng(0), [], []
    for number in range(CLIPS):
        for name, pitch in PITCHES.items():
            time = np.arange(int(rng.uniform(0.5, 1) * 8000)) / 8000
            samples = 0.3 * np.sin(2 * np.pi * pitch * rng.uniform(0.95, 1.05) * time)
            samples += 0.02 * rng.standard_normal(len(time))
            paths.append(str(write_audio(f"{name}/{number}.wav", samples=samples, sample_rate=8000)))
            labels.append([name])
    folds = [1 + row // 6 for row in range(len(paths))]
    splits = ["test" if fold == 4 else "train" for fold in folds]
    return Corpus.from_columns(tmp_path, paths, labels=labels, folds=folds, splits=splits)


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
