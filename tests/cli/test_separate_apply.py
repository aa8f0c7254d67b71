"""`soundviews separate apply` and `show` from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from typer.testing import CliRunner

from soundviews.audio.decode import read
from soundviews.cli.app import app, load_verbs
from soundviews.core.component import Component
from soundviews.core.errors import SoundviewsError
from soundviews.separation.processor import ProcessorConfig, save_processor
from soundviews.separation.tdcn import TDCN


@pytest.fixture
def separate() -> Callable[..., Any]:
    load_verbs()
    return lambda *words: CliRunner().invoke(app, ["separate", *map(str, words)])


@pytest.fixture
def separator_run(tmp_path: Path) -> Path:
    """A run with the processors N and S2, both untrained."""
    options = {"filters": 8, "bottleneck": 4, "width": 6, "repeats": 2, "blocks": 2}
    for name, step in (("S2", 20000), ("N", 0)):
        torch.manual_seed(step)
        config = ProcessorConfig(
            name=name, step=step, sample_rate=8000, separator=Component(name="tdcn", options=options), recipe=""
        )
        save_processor(tmp_path / "run/processors" / name, config, TDCN(**options))
    return tmp_path / "run"


def test_a_folder_is_separated_by_the_most_trained(
    separate: Callable[..., Any], separator_run: Path, write_audio: Callable[..., Path], tmp_path: Path
) -> None:
    path = write_audio("in/day 1/a.flac", 1.2, 16000)
    (tmp_path / "in/bad.wav").write_text("")
    result = separate("apply", separator_run, tmp_path / "in", "--out", tmp_path / "out", "--block-seconds", 0.5)
    assert result.exit_code == 0, result.output
    assert "1 recordings in 2 channels each, by S2 (step 20,000); 0 of them were there" in result.output
    assert "The first: bad.wav: empty file" in result.stderr
    first, second = (read(tmp_path / f"out/day 1/a_{m}.flac") for m in (0, 1))
    assert abs(first + second - read(path, sample_rate=8000)).max() < 1e-5
    result = separate("apply", separator_run, tmp_path / "in", "--out", tmp_path / "out", "--block-seconds", 0.5)
    assert "1 of them were there" in result.output
    result = separate("apply", separator_run, tmp_path / "in", "--out", tmp_path / "out2", "--strict")
    assert isinstance(result.exception, SoundviewsError) and "bad.wav: empty" in str(result.exception)


def test_a_cascade_as_wav(
    separate: Callable[..., Any], separator_run: Path, write_audio: Callable[..., Path], tmp_path: Path
) -> None:
    path = write_audio("a.wav", 0.3, 8000)
    result = separate("apply", separator_run, path, "-o", tmp_path / "out", "--processor", "S2>N", "--format", "wav")
    assert result.exit_code == 0, result.output
    assert [soundfile.info(tmp_path / f"out/a_{m}.wav").frames for m in range(4)] == 4 * [2400]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_show_draws_what_it_says(
    suffix: str, separate: Callable[..., Any], separator_run: Path, write_audio: Callable[..., Path], tmp_path: Path
) -> None:
    path = write_audio("a.wav", 1.0, 44100, channels=2)
    result = separate("show", separator_run, path, "--out", tmp_path / f"new/figure.{suffix}")
    assert result.exit_code == 0, result.output
    assert [line[:12] for line in result.output.splitlines()[:2]] == ["S2: step 20,", "N: step 0; c"]
    beginning = (tmp_path / f"new/figure.{suffix}").read_bytes()[:200]
    assert {"png": b"PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix] in beginning


def test_show_takes_processors_in_the_order_given(
    separate: Callable[..., Any], separator_run: Path, write_audio: Callable[..., Path], tmp_path: Path
) -> None:
    path = write_audio("a.wav", 1.0, 8000)
    words = ("show", separator_run, path, "-o", tmp_path / "f.png", "--processors", "N,S2", "--start", 0.97)
    result = separate(*words)  # 30 ms: hardly a frame
    assert result.exit_code == 0, result.output
    assert [line.split(":")[0] for line in result.output.splitlines()[:2]] == ["N", "S2"]
    result = separate(*words[:-1], 5)
    assert isinstance(result.exception, SoundviewsError) and "a.wav: no samples from 5 s" in str(result.exception)
    result = separate("show", separator_run, path, "-o", tmp_path / "f.gif")
    assert isinstance(result.exception, SoundviewsError) and ".png, .svg, .pdf" in str(result.exception)
    result = separate("show", separator_run, path, "-o", tmp_path / "f.png", "--processors", "S3")
    assert isinstance(result.exception, SoundviewsError) and "S2" in str(result.exception)
