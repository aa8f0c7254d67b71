"""The training step: weighted sums, further views of other sizes, averaged networks, and learning without labels."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from soundviews.audio.loader import ClipBatch
from soundviews.objectives import Loss, objectives
from soundviews.pretraining.log import read_metrics
from soundviews.pretraining.module import Pretraining
from soundviews.pretraining.run import pretrain, resume
from soundviews.recipes.building import build
from soundviews.recipes.schema import Recipe

BYOL = "objectives=[byol: {momentum: 0.9, hidden_size: 16, projection_size: 8}]"
LOCAL = "[peak_normalize, {patch: {frames: 25}}]"
BRANCHES = ("anchor", "positive")
MULTI_CROP = [
    "objectives=[multi_crop: {objective: {nt_xent: {hidden_size: 32, projection_size: 16}}}]",
    f"views.further=[{LOCAL}, {LOCAL}]",
]


@objectives.register("queue")
class Queue(nn.Module):
    """MoCo's loss with a short queue: an objective from outside, with an averaged network and a memory."""

    def __init__(self, embedding_size: int) -> None:
        super().__init__()
        self.head = nn.Linear(embedding_size, 8)
        self.register_buffer("keys", torch.zeros(12, 8))

    def momentum(self, share: float) -> float:
        return 0.9

    def forward(self, h_a: Tensor, h_b: Tensor, averaged: tuple[Tensor, Tensor]) -> Loss:
        queries, keys = F.normalize(self.head(h_a), dim=1), F.normalize(averaged[1], dim=1)
        logits = torch.cat([(queries * keys).sum(1, keepdim=True), queries @ self.keys.clone().T], dim=1)
        self.keys.copy_(torch.cat([keys, self.keys])[: len(self.keys)])
        return Loss(F.cross_entropy(logits / 0.2, torch.zeros(len(h_a), dtype=torch.int64)), {})


def clips(rows: int, seconds: float = 1.0) -> ClipBatch:
    samples = torch.randn(rows, round(8000 * seconds), generator=torch.Generator().manual_seed(0)) * 0.1
    return ClipBatch(torch.arange(rows), samples, torch.full((rows,), samples.shape[1]))


def state(run: Path, name: str = "last") -> dict[str, Tensor]:
    return torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)["state_dict"]


def test_the_loss_is_the_weighted_sum_of_the_named_objectives(
    tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path
) -> None:
    near, far = "{nt_xent: {name: near, weight: 0.25, temperature: 0.1}}", "{nt_xent: {temperature: 0.5}}"
    recipe = tiny_recipe("training.steps=2", f"objectives=[{near}, {far}]")
    metrics = read_metrics(pretrain(recipe, str(labelled), tmp_path / "run", workers=0) / "metrics.csv")
    losses = [[value for _, value in metrics[name]] for name in ("loss", "near_loss", "nt_xent_loss")]
    assert len(losses[0]) == 2
    np.testing.assert_allclose(losses[0], 0.25 * np.array(losses[1]) + losses[2], rtol=1e-5)


@pytest.mark.parametrize("together", [True, False])
def test_further_views_of_another_size_pass_the_encoder_by_themselves(
    together: bool, tiny_recipe: Callable[..., Recipe]
) -> None:
    recipe = tiny_recipe(*MULTI_CROP, f"training.views_together={str(together).lower()}")
    module = Pretraining(recipe, build(recipe), 1, None)
    shapes: list[torch.Size] = []
    module.encoder.register_forward_pre_hook(lambda _, inputs: shapes.append(inputs[0].shape))
    (views,) = module.make_views(clips(4), 0)
    assert [tuple(patches.shape) for patches in views] == [(4, 41, 32), (4, 41, 32), (4, 25, 32), (4, 25, 32)]
    assert not torch.equal(views[2], views[3])
    (embedded,) = module.encode([views])
    expected = [(8, 1, 41, 32), (8, 1, 25, 32)] if together else [(4, 1, *view.shape[1:]) for view in views]
    assert [tuple(shape) for shape in shapes] == expected
    module.eval()
    (embedded,) = module.encode([views])
    for patches, h in zip(views, embedded, strict=True):
        torch.testing.assert_close(h, module.encoder(patches[:, None]))


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")  # a step without a trainer
def test_an_objective_of_two_views_is_not_given_the_further_ones(tiny_recipe: Callable[..., Recipe]) -> None:
    recipe = tiny_recipe(MULTI_CROP[0].replace("[multi", "[nt_xent: {}, multi"), MULTI_CROP[1])
    module = Pretraining(recipe, build(recipe), 1, None)
    assert module.training_step(clips(4), 0).isfinite()


def test_positions_are_seconds_into_the_clip_whether_samples_or_log_mels_come(
    tiny_recipe: Callable[..., Recipe],
) -> None:
    recipe = tiny_recipe("objectives=[temporal_gap: {longest: 1.0}]", *(f"views.{view}={LOCAL}" for view in BRANCHES))
    module = Pretraining(recipe, build(recipe), 1, None)
    batch = clips(6)
    patches, seconds = module.make_views(batch, 3)[0], module.positions(batch, 3, 0)
    log_mels = module.log_mel(batch.samples / batch.samples.abs().amax(1, keepdim=True))
    for of_view, starts in zip(patches, seconds, strict=True):
        for patch, start, log_mel in zip(of_view, (starts * 100).tolist(), log_mels, strict=True):  # frames of 10 ms
            torch.testing.assert_close(patch, log_mel[round(start) : round(start) + 25], rtol=0, atol=0.05)
    drawn = batch._replace(samples=torch.empty(6, 0), log_mels=log_mels[None])
    assert all(torch.equal(*pair) for pair in zip(seconds, module.positions(drawn, 3, 0), strict=True))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_an_average_follows_each_step_of_the_optimiser(
    accumulate: int, tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path
) -> None:
    options = [
        BYOL,
        "training.steps=4",
        "training.checkpoint_steps=1",
        "training.keep_every=1",
        f"training.accumulate={accumulate}",
    ]
    recipe = tiny_recipe(*options)
    run = pretrain(recipe, str(labelled), tmp_path / "run", workers=0)
    before = Pretraining(recipe, build(recipe), 4, None).state_dict()
    byol, averaged = build(recipe).objectives["byol"], "averaged.byol.network."
    sources = {"0.": "encoder.", "1.": "objectives.byol.head."}
    weights = [
        name for name in dict(Pretraining(recipe, build(recipe), 4, None).named_parameters()) if averaged in name
    ]
    assert len(weights) > 6
    for step in range(1, 5):
        after = state(run, f"step-{step:08d}")
        for name in weights:
            rest = name.removeprefix(averaged)
            source = after[sources[rest[:2]] + rest[2:]]
            momentum = byol.momentum((step - 1) / 4)
            torch.testing.assert_close(after[name], momentum * before[name] + (1 - momentum) * source)
        before = after


def test_no_optimiser_and_no_gradient_reaches_an_average(tiny_recipe: Callable[..., Recipe]) -> None:
    recipe = tiny_recipe(BYOL)
    module = Pretraining(recipe, build(recipe), 4, None)
    optimised = {id(p) for group in module.configure_optimizers()["optimizer"].param_groups for p in group["params"]}
    averaged = {id(p) for p in module.averaged.parameters()}
    assert averaged and not averaged & optimised
    assert optimised == {id(p) for p in [*module.encoder.parameters(), *module.objectives.parameters()]}
    assert "averaged" not in "".join(Pretraining(tiny_recipe(), build(tiny_recipe()), 4, None).state_dict())


@pytest.mark.parametrize("objective", [BYOL, "objectives=[queue: {}]"])
def test_resumed_with_its_average_and_its_queue_equals_uninterrupted(
    objective: str,
    tiny_recipe: Callable[..., Recipe],
    labelled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe, step = tiny_recipe(objective, "training.steps=6"), Pretraining.training_step

    def interrupted(self: Pretraining, batch: ClipBatch, index: int) -> Tensor:
        if index == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, batch, index)

    whole = pretrain(recipe, str(labelled), tmp_path / "whole", workers=0)
    monkeypatch.setattr(Pretraining, "training_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrain(recipe, str(labelled), tmp_path / "broken", workers=0)
    monkeypatch.undo()
    expected, resumed = state(whole), state(resume(tmp_path / "broken"))
    assert any(name.startswith("averaged.") for name in expected)
    assert expected.keys() == resumed.keys()
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)
