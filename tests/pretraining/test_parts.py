"""Schedules, statistics, metrics, training options and the stop by signal."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from soundviews.audio.decode import read
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.features.log_mel import LogMel
from soundviews.pretraining.fit import accumulating
from soundviews.pretraining.log import MetricsCsv, read_metrics
from soundviews.pretraining.run import pretrain, resume
from soundviews.pretraining.statistics import corpus_statistics
from soundviews.recipes.building import build
from soundviews.recipes.loading import load_recipe
from soundviews.recipes.optimization import create_optimizer, create_schedule
from soundviews.recipes.schema import Recipe


def rates(schedule: dict, steps: int, warmup: int = 0) -> list[float]:
    optimizer = create_optimizer({"sgd": {"lr": 0.03}}, [nn.Parameter(torch.zeros(1))])
    scheduler = create_schedule(schedule, optimizer, steps, warmup)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_step_schedule_falls_where_the_paper_says() -> None:
    found = rates({"step": {"milestones": [0.65, 0.85], "gamma": 0.1}}, 500)
    np.testing.assert_allclose(found[:325], 0.03)
    np.testing.assert_allclose(found[325:425], 0.003)
    np.testing.assert_allclose(found[425:], 0.0003)


def test_warm_up_and_cosine() -> None:
    found = rates({"cosine": {}}, 100, warmup=10)
    assert found[0] == pytest.approx(0.003) and max(found) < 0.03 and found[-1] < 0.0001
    assert np.argmax(found) in (9, 10)
    middle = 0.03 * 0.5 * (1 + np.cos(np.pi * 0.5))
    assert found[50] == pytest.approx(middle)


def test_statistics_are_the_true_mean_and_deviation(tiny_recipe: Callable[..., Recipe], labelled: Path) -> None:
    """Every clip is exactly one patch long, so the sample is the whole corpus; against numpy on each clip alone."""
    recipe = tiny_recipe()
    log_mel = LogMel(sample_rate=8000, **recipe.features)
    clips = []
    for path in sorted(labelled.rglob("*.wav")):
        samples = read(path, sample_rate=8000).astype(np.float64)
        samples -= samples.mean()
        samples /= np.abs(samples).max() + 0.005
        clips.append(log_mel(torch.from_numpy(samples).float()[None])[0].double().numpy())
    expected = np.concatenate([clip.ravel() for clip in clips])
    found = corpus_statistics(recipe, build(recipe), open_corpus(labelled))
    assert found.mean == pytest.approx(expected.mean(), rel=1e-4)
    assert found.std == pytest.approx(expected.std(), rel=1e-4)  # not divided by the root of the number of bins


def test_metrics_gain_columns_and_lose_undone_rows(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    table = MetricsCsv(path)
    table.start()
    for step in range(5):
        table.log_metrics({"loss": float(step)}, step)
    table.log_metrics({"eval_accuracy": 0.5}, 4)
    assert read_metrics(path) == {"loss": [(s, float(s)) for s in range(5)], "eval_accuracy": [(4, 0.5)]}
    with open(path, "a") as file:
        file.write("5,")  # a kill in the middle of a row
    again = MetricsCsv(path, start_step=3)
    again.start()
    again.log_metrics({"loss": 3.0}, 3)
    assert read_metrics(path)["loss"] == [(s, float(s)) for s in range(4)]


@pytest.mark.parametrize(
    "options",
    [
        ["training.precision=bf16-mixed"],
        ["training.accumulate=2", "training.checkpoint_steps=2", "training.keep_every=2"],
        ["training.gradient_clip=0.1", "training.optimizer={adamw: {lr: 0.001}}", "training.views_together=true"],
        ["objectives=[{bilinear: {projection_size: 16}}, {nt_xent: {}}]"],
    ],
)
def test_training_options_run_to_the_end(
    options: list[str], tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe("training.steps=4", *options)
    run = pretrain(recipe, str(labelled), tmp_path / "run", workers=0)
    losses = [value for _, value in read_metrics(run / "metrics.csv")["loss"]]
    assert len(losses) >= 4 and np.isfinite(losses).all()
    assert (run / "bundle" / "model.safetensors").is_file()
    if recipe.training.keep_every:
        assert (run / "checkpoints" / "step-00000002.ckpt").is_file()


@pytest.mark.parametrize(("devices", "accumulate"), [(1, 32), (8, 4), (32, 1)])
def test_a_step_of_ssep_has_as_many_clips_on_any_devices(devices: int, accumulate: int) -> None:
    training = accumulating(load_recipe("ssep"), devices).training
    assert (training.accumulate, training.batch_size, training.clips_per_step) == (accumulate, 64, None)


@pytest.mark.parametrize("changed", [["training.batch_size=48"], ["training.clips_per_step=32"]])
def test_clips_of_a_step_that_batches_do_not_make_are_refused(changed: list[str]) -> None:
    with pytest.raises(SoundviewsError, match=r"no whole number of times the (48|64)"):
        accumulating(load_recipe("ssep", changed), 1)
    with pytest.raises(SoundviewsError, match="accumulate follows from clips_per_step"):
        load_recipe("ssep", ["training.accumulate=2"])


def test_clips_per_step_is_accumulate_written_otherwise(
    tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path
) -> None:
    options = ("training.accumulate=2", "training.clips_per_step=8")
    runs = [
        pretrain(tiny_recipe("training.steps=2", option), str(labelled), tmp_path / option, workers=0)
        for option in options
    ]
    weights = [(run / "bundle" / "model.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1]


def test_a_file_that_stays_is_not_the_last_one(
    tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path
) -> None:
    """What the bundle is made of and what the run goes on from is the last step, also where that one is kept, too."""
    recipe = tiny_recipe("training.steps=3", "training.checkpoint_steps=2", "training.keep_every=3")
    run = pretrain(recipe, str(labelled), tmp_path / "run", workers=0)
    last, kept = (
        torch.load(run / "checkpoints" / name, weights_only=True) for name in ("last.ckpt", "step-00000003.ckpt")
    )
    assert last["global_step"] == kept["global_step"] == 3


def test_judging_while_training_keeps_the_best(
    tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe("training.steps=4", "evaluation={protocol: knn, metric: accuracy, steps: 2, keep: best}")
    run = pretrain(recipe, str(labelled), tmp_path / "run", workers=0, evaluation_data=str(labelled))
    scores = read_metrics(run / "metrics.csv")["eval_accuracy"]
    assert [step for step, _ in scores] == [1, 3]
    best = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["global_step"] == (2 if scores[0][1] >= scores[1][1] else 4)


def test_judging_leaves_the_training_alone(tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path) -> None:
    """Neither the encoder's nor the head's batch norm may learn from the clips it is judged on."""
    recipe = tiny_recipe("training.steps=4", "evaluation={protocol: knn, metric: accuracy, steps: 1}")
    runs = [
        pretrain(recipe, str(labelled), tmp_path / ("judged" if data else "alone"), workers=0, evaluation_data=data)
        for data in (None, str(labelled))
    ]
    weights = [(run / "bundle" / "model.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_signal_ends_the_run_with_a_checkpoint(
    accumulate: int, tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["training.steps=6", "training.checkpoint_steps=100", f"training.accumulate={accumulate}"]
    options.append("encoder={cnn14: {width: 0.02, mels: 32}}")  # it has dropout
    recipe = tiny_recipe(*options)
    from soundviews.pretraining.module import Pretraining

    step = Pretraining.training_step

    def interrupted(self: Pretraining, batch: object, index: int) -> torch.Tensor:
        if index == 2 * accumulate:
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, batch, index)  # type: ignore[arg-type]

    monkeypatch.setattr(Pretraining, "training_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrain(recipe, str(labelled), tmp_path / "run", workers=0)
    monkeypatch.undo()
    assert torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 3
    whole = pretrain(recipe, str(labelled), tmp_path / "whole", workers=0)
    resumed = resume(tmp_path / "run")
    weights = [(run / "bundle" / "model.safetensors").read_bytes() for run in (whole, resumed)]
    assert weights[0] == weights[1]
