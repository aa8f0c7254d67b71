"""Checkpoints are written whole, the last two are kept, and a damaged one is passed over; no row of metrics is lost."""

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.pretraining.checkpoints import AtomicIO, is_whole, settle_checkpoints, whole_checkpoint
from soundviews.pretraining.run import pretrain, resume
from soundviews.pretraining.so_far import export_so_far
from soundviews.recipes.schema import Recipe

from .processes import read_rows

Make = Callable[..., Recipe]


def step_of(path: Path) -> int:
    return int(torch.load(path, weights_only=True)["global_step"])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A directory with the checkpoints of steps 1, 2 and 3, of which the last two are kept."""
    for step in (1, 2, 3):
        checkpoint = {"global_step": step, "weights": torch.arange(1000.0)}
        AtomicIO("soundviews pretrain").save_checkpoint(checkpoint, tmp_path / "run" / "checkpoints" / "last.ckpt")
    return tmp_path / "run"


class Hostile:
    def __reduce__(self) -> Any:
        return (os.mkdir, ("executed",))


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def replace_the_pickle(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, pickle.dumps(Hostile(), 2) if name.endswith("data.pkl") else data)


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1000]),
    "a byte": flip_a_byte,
    "zeros": lambda path: path.write_bytes(bytes(5000)),
    "a pickle": lambda path: path.write_bytes(pickle.dumps(Hostile(), 2)),
    "a pickle within": replace_the_pickle,
    "something else": lambda path: torch.save([1, 2], path),
}


def test_the_last_two_are_kept(run: Path) -> None:
    assert sorted(os.listdir(run / "checkpoints")) == ["last-1.ckpt", "last.ckpt"]
    assert [step_of(run / "checkpoints" / name) for name in ("last.ckpt", "last-1.ckpt")] == [3, 2]
    assert whole_checkpoint(run) == run / "checkpoints" / "last.ckpt"
    assert whole_checkpoint(run / "nowhere") is None


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_one_gives_way_to_the_one_before(
    run: Path, damage: Callable[[Path], Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run)
    last = run / "checkpoints" / "last.ckpt"
    damage(last)
    assert not is_whole(last)
    settle_checkpoints(run)
    assert os.listdir(run / "checkpoints") == ["last.ckpt"] and step_of(last) == 2
    assert [record.getMessage() for record in caplog.records] == [
        f"{last} is damaged; the one before it takes its place"
    ]
    damage(last)
    with pytest.raises(SoundviewsError, match=rf"^{last} is damaged, and there is no earlier one: delete it"):
        settle_checkpoints(run)
    assert not (run / "executed").exists()


def test_killed_between_the_two_renames(run: Path) -> None:
    """The newest was not in place yet: the one before it is the last."""
    (run / "checkpoints" / "last.ckpt").rename(run / "checkpoints" / "last-1.ckpt")
    settle_checkpoints(run)
    assert os.listdir(run / "checkpoints") == ["last.ckpt"] and step_of(run / "checkpoints" / "last.ckpt") == 3


def test_a_limit_on_the_size_of_files_is_told_as_what_it_is(run: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    checkpoint = {"global_step": 4, "weights": torch.zeros(100_000)}
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        with pytest.raises(SoundviewsError, match=r"cannot write the checkpoint .*last\.ckpt .* make room, then go on"):
            AtomicIO("soundviews pretrain").save_checkpoint(checkpoint, run / "checkpoints" / "last.ckpt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(os.listdir(run / "checkpoints")) == ["last-1.ckpt", "last.ckpt"]
    assert step_of(run / "checkpoints" / "last.ckpt") == 3


class Killed(BaseException):
    """What nothing catches."""


def test_a_kill_just_after_a_checkpoint_loses_and_doubles_no_row(
    tiny_recipe: Make, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe("training.steps=5", "training.checkpoint_steps=1")
    whole = pretrain(recipe, labelled, tmp_path / "whole", workers=0)
    save = AtomicIO.save_checkpoint

    def save_and_die(self: AtomicIO, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        save(self, checkpoint, path, storage_options)
        if checkpoint["global_step"] == 3:
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(AtomicIO, "save_checkpoint", save_and_die)
        pretrain(recipe, labelled, tmp_path / "run", workers=0)
    assert [row["step"] for row in read_rows(tmp_path / "run")] == ["0", "1", "2"]
    run = resume(tmp_path / "run")
    assert (run / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()
    assert len(read_rows(run)) == 5


def test_a_run_goes_on_from_the_checkpoint_before_the_damaged_one(
    tiny_recipe: Make, labelled: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And measures its statistics anew; the encoder is that of an uninterrupted run."""
    recipe = tiny_recipe("training.steps=4", "training.checkpoint_steps=1")
    run = pretrain(recipe, labelled, tmp_path / "run", workers=0)
    kept = (run / "bundle" / "model.safetensors").read_bytes(), (run / "metrics.csv").read_bytes()
    last, statistics = run / "checkpoints" / "last.ckpt", run / "statistics.json"
    measured = statistics.read_bytes()
    flip_a_byte(last)
    statistics.write_bytes(b"")
    (run / "bundle").rename(tmp_path / "bundle")
    with pytest.raises(SoundviewsError, match=r"statistics\.json is missing or damaged"):
        export_so_far(run)
    assert step_of(last.with_name("last-1.ckpt")) == 3 and not is_whole(last)  # reading changes nothing
    resume(run)
    assert ((run / "bundle" / "model.safetensors").read_bytes(), (run / "metrics.csv").read_bytes()) == kept
    assert statistics.read_bytes() == measured
    assert f"{last} is damaged; the one before it takes its place" in caplog.text
    assert f"{statistics} is damaged: measured anew" in caplog.text
