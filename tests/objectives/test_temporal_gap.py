"""The temporal gap's loss and metrics against loops, and what the objective makes of positions."""

import math

import pytest
import torch

from soundviews.objectives import TemporalGap, temporal_gap_loss

LOGITS, GAPS = [-1.0, 0.5, 2.0, -3.0, 0.0], [0.2, 0.2, 1.0, 0.5, 0.0]


def test_equals_the_loops() -> None:
    loss = temporal_gap_loss(torch.tensor(LOGITS, dtype=torch.float64), torch.tensor(GAPS))
    total = error = 0.0
    for logit, gap in zip(LOGITS, GAPS, strict=True):
        p = 1 / (1 + math.exp(-logit))
        total -= (gap * math.log(p) + (1 - gap) * math.log(1 - p)) / len(GAPS)
        error += abs(p - gap) / len(GAPS)
    pairs = [(i, j) for i in range(5) for j in range(5) if GAPS[i] > GAPS[j]]
    right = sum(LOGITS[i] > LOGITS[j] for i, j in pairs)
    assert loss.value.item() == pytest.approx(total, rel=1e-6)
    assert loss.metrics["error"].item() == pytest.approx(error, rel=1e-6)
    assert loss.metrics["accuracy"].item() == pytest.approx(right / len(pairs)) and 0 < right < len(pairs)


def test_gaps_are_shares_of_the_longest_one_either_way() -> None:
    torch.manual_seed(0)
    objective = TemporalGap(4, longest=2.0)
    h_a, h_b = torch.randn(3, 4), torch.randn(3, 4)
    first, second = torch.tensor([0.0, 3.0, 1.0]), torch.tensor([1.0, 2.5, 9.0])
    logits = objective.head(torch.cat([h_a, h_b], dim=1))[:, 0]
    expected = temporal_gap_loss(logits, torch.tensor([0.5, 0.25, 1.0]))
    assert torch.equal(objective(h_a, h_b, positions=(first, second)).value, expected.value)


def test_the_longest_gap_is_positive() -> None:
    with pytest.raises(ValueError, match="longest is 0"):
        TemporalGap(4, longest=0)
