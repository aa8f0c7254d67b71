"""Seconds of training on built-in scenes leave an encoder that knows more than a random one."""

import json
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from soundviews.audio.loader import ClipBatch, evaluation_batches, training_loader
from soundviews.datasets.opening import open_corpus
from soundviews.pretraining.module import Pretraining
from soundviews.recipes.building import build
from soundviews.recipes.loading import load_recipe
from soundviews.recipes.schema import Recipe, Statistics

SCENES = "scenes:clips=64,sample_rate=8000,min_seconds=2,max_seconds=3,sources=no"
QUICK = "encoder={strided_vgg: {widths: [16, 32, 64]}}"
LOCAL = "[peak_normalize, {patch: {frames: 25}}]"
MULTI_CROP = [
    QUICK,
    "objectives=[multi_crop: {objective: {nt_xent: {hidden_size: 32, projection_size: 16}}}]",
    f"views.further=[{LOCAL}, {LOCAL}]",
    "training.views_together=true",
]
BYOL = [QUICK, "objectives=[byol: {momentum: 0.9, hidden_size: 64, projection_size: 32}]"]
COINCIDENCE = [QUICK, "objectives=[coincidence: {hidden_size: 64}]"]
GAP = [QUICK, "objectives=[temporal_gap: {longest: 2.0}]"]
TRIPLET = [QUICK, "objectives=[triplet: {margin: 0.1, projection_size: 32}]"]


def train(module: Pretraining, steps: int) -> None:
    """What Lightning does, without its second of preparations."""
    optimizer = module.configure_optimizers()["optimizer"]
    backgrounds = module.views.backgrounds
    loader = training_loader(open_corpus(SCENES), 8000, 16, seed=0, start_step=0, steps=steps, backgrounds=backgrounds)
    for index, batch in enumerate(loader):
        optimizer.zero_grad()
        module.training_step(batch, index).backward()
        optimizer.step()
        for name, average in module.averaged.items():
            average.update(module.projecting(name), module.objectives[name].momentum(index / steps))


@pytest.fixture
def heldout() -> ClipBatch:
    """64 scenes that no training here has heard."""
    return next(iter(evaluation_batches(open_corpus(f"{SCENES},seed=1"), 8000, 64)))


@torch.no_grad()
def agreement(module: Pretraining, clips: ClipBatch) -> float:
    """How often the nearest of all embeddings of other patches is that of the same scene."""
    module.eval()
    h_a, h_b = module.encode([module.views(clips.samples, clips.lengths, ("held out",))[:2]])[0]
    module.train()
    h_a, h_b = (F.normalize(h - h.mean(0), dim=1) for h in (h_a, h_b))
    return float(((h_a @ h_b.T).argmax(1) == torch.arange(len(h_a))).float().mean())


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")  # a step without a trainer
@pytest.mark.parametrize("options", [MULTI_CROP, TRIPLET], ids=["multi_crop", "triplet"])
def test_scenes_are_told_apart(options: list[str], tiny_recipe: Callable[..., Recipe], heldout: ClipBatch) -> None:
    recipe = tiny_recipe(*options, "training.batch_size=16", "training.optimizer={adam: {lr: 0.001}}")
    module = Pretraining(recipe, build(recipe), 40, Statistics(mean=-2.0, std=1.0))
    untrained = agreement(module, heldout)
    train(module, 40)
    assert agreement(module, heldout) > untrained + 0.1


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")  # a step without a trainer
def test_byol_predicts_the_other_view_and_does_not_collapse(
    tiny_recipe: Callable[..., Recipe], heldout: ClipBatch
) -> None:
    recipe = tiny_recipe(*BYOL, "training.batch_size=16", "training.optimizer={adam: {lr: 0.001}}")
    module = Pretraining(recipe, build(recipe), 40, Statistics(mean=-2.0, std=1.0))
    loss_before, accuracy_before = byol_on(module, heldout)
    train(module, 40)
    loss, accuracy = byol_on(module, heldout)
    assert loss < 0.5 * loss_before
    assert accuracy > 2 * max(accuracy_before, 1 / 64)  # that of chance, if all outputs had become one


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")  # a step without a trainer
def test_byol_a_knows_a_sound_again_that_was_cropped_and_stretched(
    tiny_recipe: Callable[..., Recipe], heldout: ClipBatch
) -> None:
    edits = [["edit_views={patch: {frames: 41}}"], ["edit_views={patch: {frames: 41}, mix_back: null}"]]
    steps = [json.dumps(load_recipe("byol_a/small", edit).views.anchor) for edit in edits]
    training, unmixed = ([f"views.anchor={branch}", f"views.positive={branch}"] for branch in steps)
    recipe = tiny_recipe(*BYOL, *training, "training.batch_size=16", "training.optimizer={adam: {lr: 0.001}}")
    module = Pretraining(recipe, build(recipe), 40, Statistics(mean=-2.0, std=1.0))
    mixing, module.views = module.views, build(tiny_recipe(*unmixed)).views
    untrained, (_, accuracy_before) = agreement(module, heldout), byol_on(module, heldout)
    unmixing, module.views = module.views, mixing
    train(module, 40)
    module.views = unmixing
    assert agreement(module, heldout) > untrained
    assert byol_on(module, heldout)[1] > 2 * max(accuracy_before, 1 / 64)


@torch.no_grad()
def byol_on(module: Pretraining, clips: ClipBatch) -> tuple[float, float]:
    """Loss and accuracy of the predictions among 64 scenes, with the statistics of the batch."""
    views = module.views(clips.samples, clips.lengths, ("held out",))
    averaged = module.encode([views], module.averaged["byol"])[0]
    loss = module.objectives["byol"](*module.encode([views])[0], averaged=averaged)
    return float(loss.value), float(loss.metrics["accuracy"])


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")  # a step without a trainer
def test_coincidence_is_told_of_scenes_that_were_not_heard(
    tiny_recipe: Callable[..., Recipe], heldout: ClipBatch
) -> None:
    recipe = tiny_recipe(*COINCIDENCE, "training.batch_size=16", "training.optimizer={adam: {lr: 0.003}}")
    module = Pretraining(recipe, build(recipe), 30, Statistics(mean=-2.0, std=1.0))
    assert accuracy_on(module, heldout) < 0.6
    train(module, 30)
    assert accuracy_on(module, heldout) > 0.7


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")  # a step without a trainer
def test_the_temporal_gap_is_told_of_recordings_in_which_time_is_heard(tiny_recipe: Callable[..., Recipe]) -> None:
    recipe = tiny_recipe(*GAP, "training.batch_size=32", "training.optimizer={adam: {lr: 0.003}}")
    module = Pretraining(recipe, build(recipe), 40, Statistics(mean=-2.0, std=1.0))
    heldout = swelling_noise(64, seed=1000)
    assert accuracy_on(module, heldout) < 0.65
    optimizer = module.configure_optimizers()["optimizer"]
    for index in range(40):
        optimizer.zero_grad()
        module.training_step(swelling_noise(32, seed=index), index).backward()
        optimizer.step()
    assert accuracy_on(module, heldout) > 0.8


def swelling_noise(clips: int, seed: int) -> ClipBatch:
    """2.5 s of noise each, which grows by 20 dB a second."""
    samples = torch.randn(clips, 20000, generator=torch.Generator().manual_seed(seed))
    samples *= 10 ** torch.linspace(-2.5, 0, 20000)
    return ClipBatch(torch.arange(clips), samples, torch.full((clips,), 20000))


@torch.no_grad()
def accuracy_on(module: Pretraining, clips: ClipBatch) -> float:
    """In-batch accuracy of the only objective, with averages of batch norm."""
    module.eval()
    (objective,) = module.objectives.values()
    asked = {"positions": module.positions(clips, 0, 0)} if getattr(objective, "positions", False) else {}
    loss = objective(*module.encode(module.make_views(clips, 0))[0], **asked)
    module.train()
    return float(loss.metrics["accuracy"])
