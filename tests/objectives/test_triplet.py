"""The triplet loss against a loop over all triplets, and which negative it takes."""

import math

import pytest
import torch

from soundviews.objectives import Triplet, triplet_loss


def projections(batch: int = 7, size: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    z_a, other = (torch.randn(batch, size, dtype=torch.float64, generator=generator) for _ in range(2))
    return z_a, z_a + 0.6 * other


def slow(z_a: torch.Tensor, z_b: torch.Tensor, margin: float) -> tuple[float, float, int]:
    """Loss, accuracy, and how many anchors have no negative that is further away than the positive."""
    points = [(row, z) for view in (z_a.tolist(), z_b.tolist()) for row, z in enumerate(view)]
    unit = [(row, [x / math.hypot(*z) for x in z]) for row, z in points]
    total, right, without = 0.0, 0, 0
    for index, (row, anchor) in enumerate(unit):
        of_others = []
        for number, (other_row, z) in enumerate(unit):
            distance = sum((x - y) ** 2 for x, y in zip(anchor, z, strict=True))
            if other_row != row:
                of_others.append(distance)
            elif number != index:
                positive = distance
        further = [distance for distance in of_others if distance > positive]
        negative = min(further) if further else max(of_others)
        total += max(0.0, positive - negative + margin)
        right += len(further) == len(of_others)
        without += not further
    return total / len(unit), right / len(unit), without


@pytest.mark.parametrize("margin", [0.1, 1.5])
def test_equals_the_loop_over_all_triplets(margin: float) -> None:
    z_a, z_b = projections()
    loss = triplet_loss(z_a, z_b, margin)
    value, accuracy, _ = slow(z_a, z_b, margin)
    assert loss.value.item() == pytest.approx(value, rel=1e-10) and value > 0
    assert loss.metrics["accuracy"].item() == pytest.approx(accuracy) and 0 < accuracy < 1
    assert loss.metrics["chance"].item() == pytest.approx(1 / 13)


def test_where_all_negatives_are_nearer_than_the_positive_the_furthest_is_taken() -> None:
    z_a, z_b = projections(batch=5)
    z_b[0] = -z_a[0]
    value, _, without = slow(z_a, z_b, 0.1)
    assert without >= 2
    assert triplet_loss(z_a, z_b, 0.1).value.item() == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("margin", [0.0, -1.0, 5.0])
def test_the_margin_lies_within_the_distances(margin: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        Triplet(8, margin=margin)
