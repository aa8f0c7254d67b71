"""Trainings on endless synthesised sound."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from soundviews.core.errors import SoundviewsError
from soundviews.model import load
from soundviews.pretraining.run import pretrain, resume
from soundviews.recipes.loading import load_recipe
from soundviews.recipes.optimization import create_schedule
from soundviews.recipes.schema import Recipe

SOUNDS = "synthesis:pool=1,reads=2"
SMALL = ["training.steps=4", "training.batch_size=4", "training.checkpoint_steps=2", "training.warmup_steps=0",
         "encoder.strided_vgg.widths=[4, 8, 16]"]  # fmt: skip


@pytest.fixture
def recipe() -> Recipe:
    return load_recipe("base", SMALL)


def test_a_run_that_is_resumed_hears_what_an_uninterrupted_one_hears(recipe: Recipe, tmp_path: Path) -> None:
    whole = pretrain(load_recipe(recipe, {"training.keep_every": 2}), SOUNDS, tmp_path / "whole", workers=0)
    shutil.copytree(whole, tmp_path / "parts")
    shutil.rmtree(tmp_path / "parts" / "bundle")
    checkpoints = tmp_path / "parts" / "checkpoints"
    shutil.copy(checkpoints / "step-00000002.ckpt", checkpoints / "last.ckpt")
    resume(tmp_path / "parts")
    weights = [load_file(run / "bundle" / "model.safetensors") for run in (whole, tmp_path / "parts")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_run_does_not_go_on_with_other_sounds(recipe: Recipe, tmp_path: Path) -> None:
    pretrain(recipe, SOUNDS, tmp_path / "run", workers=0)
    with pytest.raises(SoundviewsError):
        pretrain(recipe, "synthesis:pool=1,reads=2,perturb=0.2", tmp_path / "run", workers=0)


def test_views_that_need_the_samples_learn_as_well(tmp_path: Path) -> None:
    views = "[peak_normalize, patch: {frames: 101}, mix_back: {alpha: 0.05}]"
    recipe = load_recipe("base", [*SMALL, f"views.anchor={views}", f"views.positive={views}", "training.steps=1"])
    assert load(pretrain(recipe, SOUNDS, tmp_path / "run", workers=0)).embedding_size == 16


def test_hold_ends_at_nothing_and_is_the_same_for_every_length_up_to_its_decay() -> None:
    def rates(steps: int) -> list[float]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        schedule = create_schedule({"hold": {"decay": 0.25}}, optimizer, steps, 10)
        taken = []
        for _ in range(steps):
            taken.append(float(schedule.get_last_lr()[0]))
            optimizer.step()
            schedule.step()
        return taken

    short, long = rates(100), rates(400)
    assert short[:75] == long[:75] and short[74] == 1
    assert short[-1] == pytest.approx(0.04) and short[76] < 1
