from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from soundviews.core.component import Component
from soundviews.recipes.loading import load_recipe
from soundviews.recipes.schema import Recipe
from soundviews.separation import TDCN
from soundviews.separation.processor import ProcessorConfig, save_processor

OPTIONS = {"window": 20, "hop": 10, "filters": 8, "bottleneck": 4, "width": 6, "repeats": 2, "blocks": 2}
TINY = [
    "audio.sample_rate=8000",
    "features={n_fft: 256, window_length: 200, hop_length: 80, n_mels: 32, f_max: 4000}",
    "views.anchor=[peak_normalize, patch: {frames: 41}]",
    "views.positive=[peak_normalize, patch: {frames: 41}]",
    "encoder={vgg_like: {}}",
    "training.batch_size=4",
    "inference.windows={unit: spectrogram, size: 41, hop: 41, crop: 41, tail: drop}",
]


@pytest.fixture
def corpus(write_audio: Callable[..., Path], tmp_path: Path) -> Path:
    """Ten recordings of 0.4 to 2.2 s at 8 kHz."""
    for index in range(10):
        write_audio(f"corpus/{index}.wav", seconds=0.4 + 0.2 * index, sample_rate=8000, seed=index)
    return tmp_path / "corpus"


@pytest.fixture
def labelled(write_audio: Callable[..., Path], tmp_path: Path) -> Path:
    """Twelve recordings of two classes at 8 kHz, each exactly as long as a patch of `tiny_recipe`."""
    for index in range(12):
        write_audio(f"labelled/{'ab'[index % 2]}/{index}.wav", seconds=0.405, sample_rate=8000, seed=index)
    return tmp_path / "labelled"


@pytest.fixture
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The recipe's page that the module of the test calls SMALL."""
    path = tmp_path / "small.yaml"
    path.write_text(request.module.SMALL)
    return path


@pytest.fixture
def tiny_recipe() -> Callable[..., Recipe]:
    """uclser on short patches at 8 kHz, with further overrides."""
    return lambda *options: load_recipe("uclser", [*TINY, *options])


@pytest.fixture
def make_separator(tmp_path: Path) -> Callable[..., Path]:
    """A folder with tiny, untrained processors N, F, S1 and S2 of one sample rate, each with weights of its own."""

    def make(sample_rate: int) -> Path:
        folder = tmp_path / f"separator-{sample_rate}"
        for step, name in enumerate(("N", "F", "S1", "S2")):
            torch.manual_seed(step)
            config = ProcessorConfig(
                name=name,
                step=step,
                sample_rate=sample_rate,
                separator=Component(name="tdcn", options=OPTIONS),
                recipe="tiny",
            )
            save_processor(folder / name, config, TDCN(**OPTIONS))
        return folder

    return make
