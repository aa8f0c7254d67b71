"""Bilinear contrast against a loop, and cola's published scales."""

import math

import pytest
import torch

from soundviews.objectives import BilinearContrast, bilinear_contrast


def loop(anchors: torch.Tensor, positives: torch.Tensor, weight: torch.Tensor) -> float:
    """-log of the share of the positive among all of the batch, the mean over anchors."""
    total = 0.0
    for i, a in enumerate(anchors):
        scores = [math.exp(float(a @ weight @ p)) for p in positives]
        total -= math.log(scores[i] / sum(scores))
    return total / len(anchors)


def made_up() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    anchors, positives = (torch.randn(7, 5, dtype=torch.float64, generator=generator) for _ in range(2))
    return anchors, positives, torch.randn(5, 5, dtype=torch.float64, generator=generator)


def test_equals_the_loop_in_float64() -> None:
    anchors, positives, weight = made_up()
    value = bilinear_contrast(anchors, positives, weight).item()
    assert value == pytest.approx(loop(anchors, positives, weight), rel=1e-12)


def test_is_one_directional_unless_asked() -> None:
    anchors, positives, weight = made_up()
    there, back = loop(anchors, positives, weight), loop(positives, anchors, weight.T)
    assert there != pytest.approx(back)
    assert bilinear_contrast(anchors, positives, weight, symmetric=True).item() == pytest.approx((there + back) / 2)


def test_parameters_are_those_of_colas_head() -> None:
    assert sum(p.numel() for p in BilinearContrast(1280).parameters()) == 655_872 + 1_024 + 512 * 512


def test_first_logits_have_the_published_scale() -> None:
    """tanh of unit normals, W of deviation 0.05: logits deviate by about 10, the loss is about 29 at 256."""
    torch.manual_seed(0)
    objective = BilinearContrast(1280)
    assert objective.weight.std().item() == pytest.approx(0.05, rel=0.02)
    a, b = torch.randn(256, 1280), torch.randn(256, 1280)
    logits = objective.project(a) @ objective.weight @ objective.project(b).T
    assert logits.std().item() == pytest.approx(10.1, rel=0.1)
    assert objective(a, b).value.item() == pytest.approx(29, rel=0.15)


def test_projection_is_linear_layer_norm_tanh() -> None:
    objective, h = BilinearContrast(6, projection_size=4), torch.randn(3, 6)
    linear = h @ objective.head[0].weight.T + objective.head[0].bias
    variance = linear.var(1, correction=0, keepdim=True)
    expected = torch.tanh((linear - linear.mean(1, keepdim=True)) / (variance + 1e-3).sqrt())
    torch.testing.assert_close(objective.project(h), expected)
