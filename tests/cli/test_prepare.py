"""`soundviews prepare` from arguments to channels that a training reads."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from soundviews.cli.app import app, load_verbs
from soundviews.core.component import Component
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.separation.prepared import PreparedChannels
from soundviews.separation.processor import ProcessorConfig, load_processors, save_processor
from soundviews.separation.tdcn import TDCN

SMALL = {"filters": 8, "bottleneck": 8, "width": 12, "repeats": 1, "blocks": 2}


@pytest.fixture
def separator(tmp_path) -> Path:
    """A run with processors N and S2 of 8 kHz."""
    for step, name in enumerate(("N", "S2")):
        torch.manual_seed(step)
        component = Component(name="tdcn", options=SMALL)
        config = ProcessorConfig(name=name, step=step, sample_rate=8000, separator=component, recipe="separator")
        save_processor(tmp_path / "run" / "processors" / name, config, TDCN(**SMALL))
    return tmp_path / "run"


@pytest.fixture
def sounds(tmp_path, write_audio) -> Path:
    """Five recordings of 1 s, one of silence and one of 2.5 s."""
    for i in range(5):
        write_audio(f"sounds/{i}.wav", 1.0, 8000, seed=i)
    write_audio("sounds/long.wav", 2.5, 8000)
    write_audio("sounds/silent.wav", sample_rate=8000, samples=np.zeros((8000, 1)))
    return tmp_path / "sounds"


def run(*arguments: object):
    load_verbs()
    return CliRunner().invoke(app, ["prepare", *map(str, arguments)])


def test_a_folder_is_prepared_once(sounds, separator, tmp_path):
    out = tmp_path / "channels"
    arguments = (sounds, "--separator", separator, "--channels", out, "--clip-seconds", 1, "--processors", "N,S2,S2>N")
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    # 8.5 s x 8000 Hz x 2 bytes x (2 + 2 + 4) channels
    assert "9 clips, 0.00 h at 8000 Hz; N (2 channels), S2 (2 channels), S2>N (4 channels)" in result.output
    assert "at most 1.1 MB" in result.output
    assert "27 clips separated" in result.output
    home = next(out.iterdir())
    with open(home / "skipped.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(os.path.basename(row["path"]), row["reason"]) for row in rows] == [("silent.wav", "all samples are zero")]
    corpus = open_corpus(sounds).cut(1.0)
    found = PreparedChannels(out, corpus, load_processors(separator, ["S2>N", "N"]))
    assert found.sources.tolist() == [4, 2]
    assert len(found.read(0, 3, 0)) == 8000
    again = run(*arguments)
    assert again.exit_code == 0 and "was already complete; 27 are there" in again.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bits", "12"], "16 or 24 bits, not 12"),
        (["--clip-seconds", "0"], "longer than 0 seconds"),
        (["--processors", "S1"], "no processor 'S1'"),
        (["--strict"], "silent.wav: all samples are zero"),
    ],
)
def test_mistakes_are_one_line(sounds, separator, tmp_path, arguments, message):
    result = run(sounds, "--separator", separator, "--channels", tmp_path / "channels", *arguments)
    assert isinstance(result.exception, SoundviewsError) and message in str(result.exception)


def test_a_killed_prepare_goes_on(separator, tmp_path, write_audio):
    """Killed as soon as the first shard is there; the rest is made by the same command."""
    for i in range(200):
        write_audio(f"many/{i}.wav", 0.2, 8000, seed=i)
    out = tmp_path / "channels"
    arguments = ["prepare", tmp_path / "many", "--separator", separator, "--channels", out]
    program = [sys.executable, "-c", "from soundviews.cli.app import main; main()", *map(str, arguments)]
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(out.glob("*/*/0000000.arrow")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*/*/0*.arrow")}
    assert kept
    result = run(*arguments[1:])
    assert result.exit_code == 0, result.output
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())
    corpus = open_corpus(tmp_path / "many").cut(10.0)
    found = PreparedChannels(out, corpus, load_processors(separator))
    assert all(len(found.read(processor, 1, row)) == 1600 for processor in range(2) for row in range(200))
