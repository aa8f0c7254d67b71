"""`soundviews pretrain` from arguments to a run."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from soundviews.cli._long_runs import consent_of
from soundviews.cli.app import app, load_verbs
from soundviews.core.errors import SoundviewsError

TINY = [
    "audio.sample_rate=8000",
    "features={n_fft: 256, window_length: 200, hop_length: 80, n_mels: 32, f_max: 4000}",
    "views.positive=[crop: {seconds: 0.4}, room: {probability: 0.5}, log_mel]",
    "views.anchor=[crop: {seconds: 0.4}, room, log_mel]",
    "encoder={vgg_like: {}}",
    "training.batch_size=4",
    "training.steps=1",
    "inference.windows={size: 3200, hop: 3200, crop: 3200, tail: drop}",
]


def run(*arguments: object):
    load_verbs()
    return CliRunner().invoke(app, ["pretrain", *map(str, arguments)])


@pytest.fixture
def sounds(write_audio, tmp_path: Path) -> Path:
    for index in range(8):
        write_audio(f"sounds/{index}.wav", seconds=0.6, sample_rate=8000, seed=index)
    return tmp_path / "sounds"


def test_rooms_are_named_by_the_runs_recipe(sounds, write_audio, tmp_path, monkeypatch) -> None:
    write_audio("rirs/a.wav", samples=np.eye(1, 4000, 10)[0], sample_rate=8000)
    monkeypatch.chdir(tmp_path)
    options = [word for setting in TINY for word in ("--set", setting)]
    result = run(sounds, "--recipe", "acl/room", "--rooms", "rirs", "--out", "run", "--workers", 0, *options)
    assert result.exit_code == 0, result.output
    said = yaml.safe_load(Path("run/recipe.yaml").read_text())["views"]
    folder = str(tmp_path / "rirs")
    assert said["positive"][1] == {"room": {"probability": 0.5, "responses": folder}}
    assert said["anchor"][1] == {"room": {"responses": folder}}


def test_rooms_of_a_recipe_without_the_step(sounds, tmp_path) -> None:
    result = run(sounds, "--recipe", "cola", "--rooms", tmp_path, "--out", tmp_path / "run")
    assert isinstance(result.exception, SoundviewsError) and "'cola' has no step room" in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_without_a_terminal_more_than_a_day_needs_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("typer.confirm", lambda text, err: asked.append(text) or False)
    assert consent_of(True)("about 6 days in all") and not consent_of(False)("about 6 days in all")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert not asked and not consent_of(False)("about 6 days in all")
    assert asked == ["This takes about 6 days in all. Go on?"]
