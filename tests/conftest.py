"""What every test may use: an isolated cache, small recordings, and ESC-50 where it is at hand."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def isolated_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing a test keeps may reach another test or the user's own cache."""
    directory = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SOUNDVIEWS_CACHE", str(directory))
    return directory


@pytest.fixture(scope="session")
def esc50_root() -> Path:
    """Real recordings in ESC-50's layout; the test is skipped where there are none."""
    root = Path(os.environ.get("SOUNDVIEWS_ESC50", REPOSITORY.parent / "shared" / "data" / "esc50"))
    if not (root / "meta" / "esc50.csv").is_file():
        pytest.skip(f"no ESC-50 at {root}; set SOUNDVIEWS_ESC50 to its folder")
    return root


@pytest.fixture
def write_audio(tmp_path: Path) -> Callable[..., Path]:
    """Write a recording below tmp_path: a tone in noise, or `samples` ((samples,) or (samples, channels)).

    `write_audio("dog/1.wav", seconds=1.0, sample_rate=16000, seed=0, channels=1, samples=None, subtype=None)`
    """

    def write(
        name: str,
        seconds: float = 1.0,
        sample_rate: int = 16000,
        seed: int = 0,
        channels: int = 1,
        samples: np.ndarray | None = None,
        subtype: str | None = None,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if samples is None:
            rng = np.random.default_rng(seed)
            time = np.arange(round(seconds * sample_rate)) / sample_rate
            tone = 0.3 * np.sin(2 * np.pi * rng.uniform(200, 2000) * time)
            samples = tone[:, None] + 0.05 * rng.standard_normal((len(time), channels))
        container = "OGG" if path.suffix == ".opus" else None
        if path.suffix == ".opus":
            subtype = "OPUS"
        soundfile.write(path, samples, sample_rate, subtype=subtype, format=container)
        return path

    return write
