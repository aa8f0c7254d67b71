"""Two small bundles with untrained weights: windows of the waveform, and windows of the spectrogram."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from soundviews.core.component import Component
from soundviews.encoders import create_encoder
from soundviews.model import Model
from soundviews.model.bundle import save_bundle
from soundviews.model.config import BundleConfig
from soundviews.recipes.schema import Statistics, WindowSettings

RATE = 16000


class FakeModel(Model):
    """Windows of 1 s whose vector is their root mean square: enough to count and fast for long recordings."""

    def __init__(self) -> None:
        self.config = SimpleNamespace(windows=SimpleNamespace(unit="waveform", size=4000, hop=4000, tail="drop"))  # type: ignore[assignment]
        self.sample_rate, self.embedding_size, self.name, self.fingerprint = 4000, 1, "fake", "0"

    seconds = hop_seconds = 1.0  # type: ignore[assignment]

    def embed_clips(self, clips, space="h"):  # type: ignore[no-untyped-def]
        count = clips.lengths // 4000
        vectors = [row[: n * 4000].view(-1, 4000).std(1) for row, n in zip(clips.samples, count, strict=True)]
        clip = torch.repeat_interleave(torch.arange(len(count)), count)
        return torch.cat(vectors)[:, None], clip, torch.zeros(len(clip))


def make_bundle(directory: Path, unit: str, seed: int = 0) -> Path:
    spectrogram = unit == "spectrogram"
    windows = (
        WindowSettings(unit="spectrogram", size=101, hop=50, crop=101, tail="drop")
        if spectrogram
        else WindowSettings(unit="waveform", size=15680, hop=15680, crop=16000, tail="pad")
    )
    features = {"n_fft": 1024, "window_length": 400, "hop_length": 160, "n_mels": 64, "center": spectrogram}
    config = BundleConfig(
        sample_rate=RATE,
        level="none" if spectrogram else "l2_window",
        fill="repeat" if spectrogram else "pad",
        features=features,
        windows=windows,
        statistics=Statistics(mean=-6.0, std=3.0),
        encoder=Component(name="vgg_like", options={}),
        embedding_size=512,
        recipe="test",
    )
    torch.manual_seed(seed)
    return save_bundle(directory, config, create_encoder("vgg_like"))


@pytest.fixture(scope="session", params=["waveform", "spectrogram"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("bundles") / request.param, request.param)


@pytest.fixture(scope="session")
def waveform_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "waveform", "waveform")


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder of five recordings, 0.4 s to 14 s, in sub-folders, one at another rate; one is no audio."""
    folder = tmp_path / "field notes"
    rng = np.random.default_rng(1)
    made = {"a/short.wav": (0.4, RATE), "a/three.wav": (3.3, RATE), "b/naïve name.flac": (5.0, 44100)}
    made |= {"b/long.wav": (14.0, RATE), "z.wav": (2.0, RATE)}
    for name, (seconds, rate) in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(int(seconds * rate)) / rate
        sweep = np.sin(2 * np.pi * (300 + rng.uniform(0, 900) + 80 * time) * time)
        soundfile.write(path, 0.2 * sweep + 0.05 * rng.normal(size=len(time)), rate)
    (folder / "b" / "notes.wav").write_text("this is text")
    return folder
