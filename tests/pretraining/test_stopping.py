"""What a training leaves when it is asked to end by whoever runs it, and when nobody listens to what it says."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from soundviews.pretraining.fit import steps_done

from .processes import command

SMALL = """
base: uclser
audio: {sample_rate: 8000}
features: {n_fft: 256, window_length: 200, hop_length: 80, n_mels: 32, f_max: 4000}
edit_views: {patch: {frames: 41}}
encoder: {vgg_like: {}}
training: {steps: 100000, batch_size: 4, checkpoint_steps: 2, held_out: 0}
inference: {windows: {hop: 41}}
"""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals, and closes what others write to")


def train(small: Path, corpus: Path, run: Path, *options: str, **streams: int) -> "subprocess.Popen[str]":
    arguments = ("pretrain", str(corpus), "--recipe", str(small), "--out", str(run), *options)
    return command(*arguments, cache=run.with_name("cache"), start_new_session=True, **streams)


def test_sigterm_to_the_whole_group_ends_as_to_the_main_process(small: Path, corpus: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = train(small, corpus, run, "--workers", "2")
    deadline = time.monotonic() + 120
    while not (run / "checkpoints" / "last.ckpt").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    before = steps_done(run)
    for _ in range(2):  # as `timeout` does
        os.killpg(process.pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 143, output
    assert "Traceback" not in output and "DataLoader" not in output
    assert output.count(f"stopped at step {steps_done(run)}; go on with: soundviews pretrain --resume") == 1
    assert steps_done(run) >= before > 0


def test_a_training_that_nobody_watches_trains(small: Path, corpus: Path, tmp_path: Path, nobody: int) -> None:
    run = tmp_path / "run"
    process = train(small, corpus, run, "--set", "training.steps=3", "--workers", "0", stdout=nobody, stderr=nobody)
    assert process.wait(120) == 141
    assert steps_done(run) == 3 and (run / "bundle" / "config.json").is_file()
