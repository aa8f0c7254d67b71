"""What metrics.csv says of a training's health."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from soundviews.pretraining.health import collapse_of, health_of
from soundviews.pretraining.log import read_metrics
from soundviews.pretraining.run import pretrain
from soundviews.recipes.schema import Recipe


def test_norm_and_cosine_are_those_of_all_pairs() -> None:
    h = torch.randn(7, 5, generator=torch.Generator().manual_seed(0)) + 0.5
    cosines = [float(h[i] @ h[j] / h[i].norm() / h[j].norm()) for i in range(7) for j in range(7) if i != j]
    health = health_of(h)
    assert float(health["h_cosine"]) == pytest.approx(np.mean(cosines), abs=1e-6)
    assert float(health["h_norm"]) == pytest.approx(np.mean([float(row.norm()) for row in h]), rel=1e-6)


def test_a_collapse_is_named_with_its_cure() -> None:
    h = torch.randn(50, 16, generator=torch.Generator().manual_seed(0))
    assert collapse_of(h) == ""
    for collapsed in (torch.ones(50, 16) + 1e-3 * h, torch.zeros(50, 16), torch.full((50, 16), torch.nan)):
        assert "has collapsed" in collapse_of(collapsed) and "lower learning rate" in collapse_of(collapsed)


def test_every_logged_step_has_them(tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path) -> None:
    run = pretrain(tiny_recipe("training.steps=5", "training.batch_size=6"), labelled, tmp_path / "run", workers=0)
    curves = read_metrics(run / "metrics.csv")
    for name in ("nt_xent_accuracy", "nt_xent_chance", "h_norm", "h_cosine", "gradient_norm"):
        assert [step for step, _ in curves[name]] == [0, 1, 2, 3, 4], name
    assert [value for _, value in curves["nt_xent_chance"]] == pytest.approx([1 / 11] * 5)
    assert all(value > 0 for name in ("h_norm", "gradient_norm") for _, value in curves[name])
    assert all(-1 <= value <= 1 for _, value in curves["h_cosine"])


def test_the_gradients_norm_is_that_of_accumulated_batches(
    tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe("training.steps=4", "training.batch_size=3", "training.accumulate=2")
    curves = read_metrics(pretrain(recipe, labelled, tmp_path / "run", workers=0) / "metrics.csv")
    assert len(curves["gradient_norm"]) == len(curves["h_norm"]) == len(curves["loss"])
