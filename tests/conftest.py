"""What every test may use: real recordings where they are at hand, small recordings, a cache; and which are slow."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import typer

REPOSITORY = Path(__file__).resolve().parent.parent
SLOW = (
    "archive/",
    "cli/",
    "components/",
    "docs/test_commands.py",
    "docs/test_python.py",
    "docs/test_tutorials.py::test_every_cell_runs",
    "encoders/test_encoders.py::test_every_encoder_runs_in_bfloat16",
    "evaluation/protocols/test_every_protocol.py",
    "evaluation/protocols/test_linear.py",
    "evaluation/protocols/test_shallow.py",
    "evaluation/protocols/test_supervised.py",
    "evaluation/test_compare.py",
    "evaluation/test_runner.py",
    "examples/",
    "face/test_compare.py",
    "face/test_demo",
    "face/test_pretrain",
    "faults/",
    "model/",
    "objectives/test_objectives.py",
    "packaging/test_base_install.py",
    "pretraining/",
    "recipes/test_acl.py",
    "recipes/test_checking.py",
    "recipes/test_choosing.py",
    "recipes/test_hostile.py",
    "recipes/test_recipe.py",
    "recipes/test_uses.py",
    "report/test_browser.py",
    "reproduction/test_reproduce.py",
    "scenes/test_endless",
    "studies/",
    "test_benchmarks.py",
    "test_cli_help.py",
    "test_offline.py",
)
"""How the ids of tests begin, below tests/, that `make test-fast` leaves out."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.removeprefix("tests/").startswith(SLOW):
            item.add_marker("slow")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the suite (fixtures of a whole session, too) away from the cache of the person who runs it."""
    cache = tmp_path_factory.mktemp("cache")
    os.environ["SOUNDVIEWS_CACHE"] = str(cache)
    return cache


@pytest.fixture(autouse=True)
def isolated_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What one test keeps does not reach another."""
    directory = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SOUNDVIEWS_CACHE", str(directory))
    return directory


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
def write_audio(tmp_path: Path) -> Callable[..., Path]:
    """Write `samples`, (samples,) or (samples, channels), or else a tone in noise, below tmp_path."""

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
            samples = tone[:, None] + 0.02 * rng.standard_normal((len(time), channels))
        is_opus = path.suffix == ".opus"
        subtype = "OPUS" if is_opus else subtype
        soundfile.write(path, samples, sample_rate, subtype=subtype, format="OGG" if is_opus else None)
        return path

    return write


@pytest.fixture
def write_tone(write_audio: Callable[..., Path]) -> Callable[..., Path]:
    """Write one recording: a tone of known frequency in noise, different for each seed. Returns its path."""

    def write(
        name: str, seconds: float = 2.0, sample_rate: int = 16000, frequency: float = 440.0, seed: int = 0
    ) -> Path:
        time = np.arange(round(seconds * sample_rate)) / sample_rate
        noise = np.random.default_rng(seed).normal(size=len(time))
        samples = (0.3 * np.sin(2 * np.pi * frequency * time) + 0.02 * noise).astype(np.float32)
        subtype = "FLOAT" if name.endswith(".wav") else None
        return write_audio(name, sample_rate=sample_rate, samples=samples, subtype=subtype)

    return write


@pytest.fixture
def nobody() -> Iterator[int]:
    """A pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


@pytest.fixture(scope="session")
def parse_command() -> Callable[[list[str]], None]:
    """Parse arguments as `soundviews` does, down to the verb's own options, without running it."""
    from soundviews.cli.app import app, load_verbs

    load_verbs()

    def parse(arguments: list[str]) -> None:
        command: Any = typer.main.get_command(app)
        context, name, rest = None, "soundviews", list(arguments)
        while hasattr(command, "commands"):
            context = command.make_context(name, rest, parent=context)
            name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        command.make_context(name, rest, parent=context)

    return parse
