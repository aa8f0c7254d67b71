"""The encoder of a run that is not finished."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import soundviews as sv
from soundviews.core.errors import SoundviewsError
from soundviews.pretraining.module import Pretraining
from soundviews.pretraining.run import pretrain, resume
from soundviews.pretraining.so_far import export_so_far
from soundviews.recipes.schema import Recipe


class PowerCut(Exception):
    pass


def cut_power_at(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    step = Pretraining.training_step

    def failing(self: Pretraining, batch: object, index: int) -> torch.Tensor:
        if index == at:
            raise PowerCut
        return step(self, batch, index)  # type: ignore[arg-type]

    monkeypatch.setattr(Pretraining, "training_step", failing)


def test_the_encoder_so_far_is_that_of_a_training_up_to_there(
    tiny_recipe: Callable[..., Recipe],
    labelled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    run, recipe = tmp_path / "run", tiny_recipe("training.steps=6", "training.checkpoint_steps=2")
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_power_at(patch, 1)
        pretrain(recipe, labelled, run, workers=0)
    with pytest.raises(SoundviewsError, match="no checkpoint yet: the first is written after 2 steps"):
        export_so_far(run)
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_power_at(patch, 4)
        resume(run)
    with pytest.raises(SoundviewsError, match=r"not finished.*soundviews\.export\('.*run'\)"):
        sv.load(run)

    checkpoint = (run / "checkpoints" / "last.ckpt").read_bytes()
    with caplog.at_level("INFO", "soundviews"):
        bundle = sv.export(run)
    assert bundle == run / "bundle-so-far" and "after step 4 of 6" in caplog.text
    assert (run / "checkpoints" / "last.ckpt").read_bytes() == checkpoint
    model, state = sv.load(bundle), torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    for name, value in model.encoder.state_dict().items():
        assert torch.equal(value, state[f"encoder.{name}"]), name
    assert model.config.statistics is not None

    resume(run)
    assert sv.export(run) == run / "bundle"
    copy = sv.export(run, tmp_path / "copy")
    assert (copy / "model.safetensors").read_bytes() == (run / "bundle" / "model.safetensors").read_bytes()


def test_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(SoundviewsError, match="no run"):
        sv.export(tmp_path)
    with pytest.raises(SoundviewsError, match=r"looked for config\.json"):
        sv.load(tmp_path)
