"""Dot-product contrast against a loop."""

import math

import pytest
import torch

from soundviews.objectives import DotContrast, dot_contrast


def loop(anchors: torch.Tensor, positives: torch.Tensor, temperature: float) -> float:
    total = 0.0
    for i, a in enumerate(anchors):
        scores = [math.exp(float(a @ p / (a.norm() * p.norm())) / temperature) for p in positives]
        total -= math.log(scores[i] / sum(scores))
    return total / len(anchors)


def views() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(6)
    return tuple(torch.randn(7, 5, dtype=torch.float64, generator=generator) for _ in range(2))


def test_equals_the_loop_in_float64() -> None:
    anchors, positives = views()
    assert dot_contrast(anchors, positives, 0.2).item() == pytest.approx(loop(anchors, positives, 0.2), rel=1e-12)


def test_is_one_directional_unless_asked() -> None:
    anchors, positives = views()
    both = (loop(anchors, positives, 0.2) + loop(positives, anchors, 0.2)) / 2
    assert dot_contrast(anchors, positives, symmetric=True).item() == pytest.approx(both)


def test_head_is_one_linear_layer_of_unit_length() -> None:
    objective = DotContrast(1280)
    assert sum(p.numel() for p in objective.parameters()) == 655_872
    torch.testing.assert_close(objective.project(torch.randn(4, 1280)).norm(dim=1), torch.ones(4))
