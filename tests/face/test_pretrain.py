"""`pretrain` and `train_separator` as Python calls them."""

import logging
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import soundviews as sv
from soundviews.core.errors import SoundviewsError
from soundviews.face.pretrain import pretrain, train_separator
from soundviews.separation.processor import find_processors

PAGE = {
    "base": "acl/room",
    "audio": {"sample_rate": 8000},
    "features": {"n_fft": 256, "window_length": 200, "hop_length": 80, "n_mels": 32, "f_max": 4000},
    "views": {
        "positive": [{"crop": {"seconds": 0.4}}, "room", "log_mel"],
        "anchor": [{"crop": {"seconds": 0.4}}, "log_mel"],
    },
    "encoder": {"vgg_like": {}},
}
SHORT = {"training.steps": 1, "training.batch_size": 4}
SEPARATOR = {
    "base": "separator",
    "audio": {"sample_rate": 8000},
    "separator": {
        "tdcn": {"window": 20, "hop": 10, "filters": 8, "bottleneck": 4, "width": 6, "repeats": 2, "blocks": 2}
    },
    "mixtures": {"seconds": 0.5},
    "processors": {"F": None, "S1": None},
}


@pytest.fixture
def sounds(write_audio: Callable[..., Path], tmp_path: Path) -> Path:
    for index in range(8):
        write_audio(f"the sounds/{index}.wav", seconds=0.6, sample_rate=8000, seed=index)
    return tmp_path / "the sounds"


@pytest.fixture
def rooms(write_audio: Callable[..., Path], tmp_path: Path) -> Path:
    write_audio("rooms/a.wav", samples=np.eye(1, 4000, 10)[0], sample_rate=8000)
    return tmp_path / "rooms"


def test_a_run_from_a_page_and_on_with_it(
    sounds: Path, rooms: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "soundviews"):
        model = pretrain(sounds, tmp_path / "a run", PAGE, SHORT, rooms=rooms, workers=0)
    run = shlex.quote(str(tmp_path / "a run"))
    for line in (
        f"  soundviews evaluate {run} --data LABELLED_CLIPS --protocol linear --baselines",
        f"  soundviews embed {run} {shlex.quote(str(sounds))} --out '{tmp_path}/a run/archive.parquet'",
        f"  model = soundviews.load('{tmp_path}/a run')",
    ):
        assert line in caplog.text
    assert model.embed(sounds / "0.wav").vectors.shape == (1, model.embedding_size)
    again = pretrain(sounds, str(tmp_path / "a run"), PAGE, SHORT, rooms=rooms, workers=0)
    assert again.fingerprint == model.fingerprint == sv.load(tmp_path / "a run").fingerprint
    with pytest.raises(SoundviewsError, match=r"training\.steps is 1 there and 2 here"):
        pretrain(sounds, tmp_path / "a run", PAGE, SHORT | {"training.steps": 2}, rooms=rooms, workers=0)


def test_overrides_are_values_or_texts(sounds: Path, rooms: Path, tmp_path: Path) -> None:
    texts = [f"{key}={value}" for key, value in SHORT.items()]
    first = pretrain(sounds, tmp_path / "first", PAGE, SHORT, rooms=rooms, workers=0)
    second = pretrain(sounds, tmp_path / "second", PAGE, texts, rooms=rooms, workers=0)
    weights = [(tmp_path / run / "bundle/model.safetensors").read_bytes() for run in ("first", "second")]
    assert weights[0] == weights[1] and first.embedding_size == second.embedding_size
    with pytest.raises(SoundviewsError, match=r"overrides are .*1000"):
        pretrain(sounds, tmp_path / "third", PAGE, "training.steps=3")


def test_a_corpus_object_and_its_command(sounds: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    page = PAGE | {"base": "cola", "views": {name: PAGE["views"]["anchor"] for name in ("anchor", "positive")}}
    with caplog.at_level(logging.INFO, "soundviews"):
        pretrain(sv.open_corpus(sounds), tmp_path / "run", page, SHORT, workers=0)
    assert f"soundviews embed {tmp_path / 'run'} RECORDINGS --out" in caplog.text


def test_a_separator(sounds: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "soundviews"):
        run = train_separator(sounds, tmp_path / "run", SEPARATOR, {"training.steps": 1}, workers=0)
    assert list(find_processors(run)) == ["N", "S2"]
    assert f"soundviews separate apply {run} {shlex.quote(str(sounds))} --out {run / 'channels'}" in caplog.text
    assert train_separator(sounds, run, SEPARATOR, {"training.steps": 1}, workers=0) == run
    with pytest.raises(SoundviewsError, match=r"training\.steps is 1 there and 2 here"):
        train_separator(sounds, run, SEPARATOR, {"training.steps": 2}, workers=0)


def test_without_a_recipe_it_chooses_one_and_says_why(
    write_audio: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.accelerator.is_available", lambda: False)
    for index in range(6):
        write_audio(f"few/{index}.wav", seconds=1.2, sample_rate=8000, seed=index)
    short = {"training.steps": 1, "encoder": {"vgg_like": {}}}
    with caplog.at_level(logging.INFO, "soundviews"):
        model = pretrain(tmp_path / "few", tmp_path / "run", overrides=short, workers=0)
    assert caplog.messages[0] == f"reading {tmp_path / 'few'}"
    assert "recipe uclser/small, 300 steps of 6 clips: for 6 recordings, 7 seconds of audio, and no GPU" in caplog.text
    assert model.config.recipe == "uclser/small"
    again = pretrain(tmp_path / "few", tmp_path / "run", workers=0)  # whatever would be chosen by now
    assert again.fingerprint == model.fingerprint
