"""The run: exact resume, what it leaves behind, and what stops it before it starts."""

import csv
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import soundviews as sv
from soundviews.core.errors import SoundviewsError
from soundviews.pretraining.run import pretrain, resume
from soundviews.recipes.loading import load_recipe
from soundviews.recipes.reading import list_recipes
from soundviews.views.room import _loaded

from .processes import command, kill_after_checkpoint, read_rows

SMALL = """
base: uclser
audio: {sample_rate: 8000}
features: {n_fft: 256, window_length: 200, hop_length: 80, n_mels: 32, f_max: 4000}
views:
  anchor: &branch
    - peak_normalize
    - patch: {frames: 41, pair: random}
    - mix_back: {alpha: 0.05, adjust_energy: true}
    - gaussian_noise: {max_std: 0.01}
  positive: *branch
encoder: {vgg_like: {}}
training: {steps: 24, batch_size: 4, checkpoint_steps: 3}
inference: {windows: {unit: spectrogram, size: 41, hop: 41, crop: 41, tail: drop}}
"""


def test_killed_twice_and_resumed_equals_uninterrupted(corpus: Path, small: Path, tmp_path: Path) -> None:
    cache, whole, broken = tmp_path / "cache", tmp_path / "whole", tmp_path / "broken"
    process = command("pretrain", str(corpus), "-r", str(small), "-o", str(whole), cache=cache)
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output
    last = broken / "checkpoints" / "last.ckpt"
    kill_after_checkpoint(command("pretrain", str(corpus), "-r", str(small), "-o", str(broken), cache=cache), last)
    assert not (broken / "bundle").exists()
    kill_after_checkpoint(command("pretrain", "--resume", str(broken), cache=cache), last)
    process = command("pretrain", "--resume", str(broken), cache=cache)
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output
    weights = [(run / "bundle" / "model.safetensors").read_bytes() for run in (whole, broken)]
    assert weights[0] == weights[1]
    whole_losses, losses = ({row["step"]: row["loss"] for row in read_rows(run)} for run in (whole, broken))
    assert len(read_rows(broken)) == len(losses) >= len(whole_losses) - 2  # a kill may take the row at hand with it
    assert losses.items() <= whole_losses.items()


def test_two_processes_train_one_encoder_and_stop_together(corpus: Path, small: Path, tmp_path: Path) -> None:
    cache, whole, broken = tmp_path / "cache", tmp_path / "whole", tmp_path / "broken"
    new = ["pretrain", str(corpus), "-r", str(small), "--devices", "2", "--workers", "0", "-s", "training.steps=48"]
    process = command(*new, "-o", str(whole), cache=cache)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    assert output.count("bundle ") == 1  # one of them speaks
    process = command(*new, "-o", str(broken), cache=cache)
    deadline = time.monotonic() + 120
    while not (broken / "checkpoints" / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.terminate()  # reaches the first process only
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0 and "--resume" in output
    process = command("pretrain", "--resume", str(broken), cache=cache)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    weights = [(run / "bundle" / "model.safetensors").read_bytes() for run in (whole, broken)]
    assert weights[0] == weights[1]


def test_workers_change_nothing(corpus: Path, small: Path, tmp_path: Path) -> None:
    recipe = load_recipe(small, ["training.steps=4"])
    for workers in (0, 2):
        pretrain(recipe, str(corpus), tmp_path / f"w{workers}", workers=workers)
    weights = [(tmp_path / f"w{workers}" / "bundle" / "model.safetensors").read_bytes() for workers in (0, 2)]
    assert weights[0] == weights[1]


def test_a_run_leaves_what_the_contract_says(corpus: Path, small: Path, tmp_path: Path) -> None:
    run = pretrain(load_recipe(small, ["training.steps=4"]), str(corpus), tmp_path / "run", workers=0)
    for name in ("recipe.yaml", "metrics.csv", "environment.json", "checkpoints/last.ckpt", "bundle/config.json"):
        assert (run / name).is_file(), name
    assert list(run.glob("events.out.tfevents*"))
    assert load_recipe(run / "recipe.yaml").training.steps == 4
    assert json.loads((run / "environment.json").read_text())["corpus"]["clips"] == 10
    rows = read_rows(run)
    assert {"loss", "nt_xent_loss", "nt_xent_accuracy"} <= set(rows[0])
    model = sv.load(run)
    embedding = model.embed(np.random.default_rng(0).standard_normal(8000), 8000)
    assert embedding.vectors.shape == (2, model.embedding_size)
    np.testing.assert_allclose(embedding.starts, [0.0, 0.41])


def test_unreadable_recordings_are_named_and_training_goes_on(corpus: Path, small: Path, tmp_path: Path) -> None:
    (corpus / "text.wav").write_text("not audio")
    run = pretrain(load_recipe(small, ["training.steps=3"]), str(corpus), tmp_path / "run", workers=0)
    with open(run / "skipped.csv") as file:
        assert [Path(row["path"]).name for row in csv.DictReader(file)] == ["text.wav"]
    with pytest.raises(SoundviewsError, match=r"text\.wav"):
        pretrain(load_recipe(small), str(corpus), tmp_path / "strict", workers=0, strict=True)


def test_what_stops_a_run_before_it_starts(
    corpus: Path, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = load_recipe(small)
    with pytest.raises(SoundviewsError, match="fewer than the 64 of one batch"):
        pretrain(load_recipe(small, ["training.batch_size=64"]), str(corpus), tmp_path / "a")
    with pytest.raises(SoundviewsError, match="on each device"):
        pretrain(load_recipe(small, ["training.batch_size=6"]), str(corpus), tmp_path / "a", devices=2)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(SoundviewsError, match="not empty"):
        pretrain(recipe, str(corpus), tmp_path / "full")
    (tmp_path / "file").write_text("")
    with pytest.raises(SoundviewsError, match="cannot write"):
        pretrain(recipe, str(corpus), tmp_path / "file" / "run")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(SoundviewsError, match="free"):
        pretrain(recipe, str(corpus), tmp_path / "b")
    with pytest.raises(SoundviewsError, match="no run"):
        resume(tmp_path / "nowhere")


def test_responses_are_read_before_a_run_begins(
    corpus: Path, small: Path, write_audio: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rooms = tmp_path / "rooms"
    branch = f"[crop: {{seconds: 0.41}}, room: {{responses: {rooms}}}, log_mel]"
    recipe = load_recipe(small, ["training.steps=2", f"views.anchor={branch}", f"views.positive={branch}"])
    with pytest.raises(SoundviewsError, match="rooms"):
        pretrain(recipe, str(corpus), tmp_path / "run", workers=0)
    assert not (tmp_path / "run").exists()
    write_audio("rooms/hall.wav", sample_rate=8000, samples=np.exp(-np.arange(800) / 100.0))
    (rooms / "text.wav").write_text("not audio")
    pretrain(recipe, str(corpus), tmp_path / "run", workers=0)
    assert f"1 left out of what the views read, first {rooms / 'text.wav'}: " in caplog.text
    _loaded.cache_clear()
    (rooms / "hall.wav").unlink()
    with pytest.raises(SoundviewsError, match="rooms"):
        resume(tmp_path / "run")


def test_a_disk_that_fills_up_loses_only_the_last_interval(
    corpus: Path, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, written = os.replace, []

    def full_after_two(source: str | Path, target: str | Path) -> None:
        if str(target).endswith("last.ckpt"):
            written.append(target)
            if len(written) == 3:
                raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full_after_two)
    with pytest.raises(SoundviewsError, match="go on with: the same call again"):
        pretrain(load_recipe(small), str(corpus), tmp_path / "run", workers=0)
    monkeypatch.undo()
    assert not list((tmp_path / "run" / "checkpoints").glob("*.tmp"))
    assert (resume(tmp_path / "run") / "bundle" / "model.safetensors").is_file()


@pytest.mark.parametrize("name", [name for name in list_recipes() if "/" not in name and name != "separator"])
def test_every_recipe_runs_on_built_in_scenes(name: str, make_separator: Callable[[int], Path], tmp_path: Path) -> None:
    recipe = load_recipe(
        name, ["training.steps=2", "training.batch_size=4", "training.clips_per_step=null", "evaluation=null"]
    )
    separates = "separate" in str(recipe.views)
    separator = str(make_separator(recipe.audio.sample_rate)) if separates else None
    scenes = "scenes:clips=12,seed=1,min_seconds=2,max_seconds=3"
    run = pretrain(recipe, scenes, tmp_path / "run", workers=0, separator=separator)
    losses = [float(row["loss"]) for row in read_rows(run)]
    assert len(losses) == 2 and np.isfinite(losses).all()
