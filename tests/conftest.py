"""What every test may use: real recordings where they are at hand, tiny corpora, a cache of their own."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the suite away from the cache of the person who runs it."""
    cache = tmp_path_factory.mktemp("cache")
    os.environ["SOUNDVIEWS_CACHE"] = str(cache)
    return cache


@pytest.fixture(scope="session")
def esc50_root() -> Path:
    """ESC-50 (whole or some folds) at $SOUNDVIEWS_ESC50, in data/esc50, or in ../shared/data/esc50."""
    named = os.environ.get("SOUNDVIEWS_ESC50")
    places = [Path(named)] if named else [REPOSITORY / "data/esc50", REPOSITORY.parent / "shared/data/esc50"]
    for place in places:
        if (place / "meta" / "esc50.csv").is_file():
            return place
    pytest.skip("ESC-50 is not at hand: set SOUNDVIEWS_ESC50 to the folder that holds meta/ and audio/")


@pytest.fixture
def write_tone(tmp_path: Path) -> Callable[..., Path]:
    """Write one recording: a tone in noise, different for each seed. Returns its path."""

    def write(
        name: str, seconds: float = 2.0, sample_rate: int = 16000, frequency: float = 440.0, seed: int = 0
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        count = round(seconds * sample_rate)
        time = np.arange(count) / sample_rate
        noise = np.random.default_rng(seed).normal(size=count)
        samples = 0.3 * np.sin(2 * np.pi * frequency * time) + 0.02 * noise
        soundfile.write(path, samples.astype(np.float32), sample_rate, subtype="FLOAT" if path.suffix == ".wav" else None)
        return path

    return write
