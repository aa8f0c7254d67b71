"""Coincidence prediction against eq. 2 of ssep, written as loops, and its head against one on concatenated pairs."""

import math

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.objectives import Coincidence, coincidence, coincidence_loss


def equation_2(logits: torch.Tensor) -> float:
    n, probability = len(logits), [[1 / (1 + math.exp(-x)) for x in row] for row in logits.tolist()]
    positives = sum(math.log(probability[i][i]) for i in range(n))
    negatives = sum(math.log(1 - probability[i][j]) for i in range(n) for j in range(n) if i != j)
    return -positives / n - negatives / (n * (n - 1))


def made_up(batch: int, size: int = 6, kind: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(batch)
    return tuple(torch.randn(batch, size, dtype=kind, generator=generator).requires_grad_() for _ in range(2))


def head(size: int = 6, hidden: int = 10, kind: torch.dtype = torch.float64) -> Coincidence:
    torch.manual_seed(0)
    return Coincidence(size, hidden).to(kind)


def naive_logits(objective: Coincidence, h_m: torch.Tensor, h_c: torch.Tensor) -> torch.Tensor:
    """Every pair concatenated."""
    pairs = [torch.cat([m, c]) for m in h_m for c in h_c]
    return objective.head(torch.stack(pairs)).view(len(h_m), len(h_c))


def gradients(objective: Coincidence, value: torch.Tensor, *h: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(value, [*h, *objective.parameters()])


@pytest.mark.parametrize("batch", [2, 3, 17])
def test_equals_the_double_loop_in_float64(batch: int) -> None:
    logits = torch.randn(batch, batch, dtype=torch.float64, generator=torch.Generator().manual_seed(batch)) * 3
    value = coincidence_loss(logits)
    assert value.dtype == torch.float64
    assert value.item() == pytest.approx(equation_2(logits), rel=1e-12)


def test_known_values() -> None:
    assert coincidence_loss(torch.zeros(5, 5)).item() == pytest.approx(2 * math.log(2))
    always = torch.full((5, 5), 3.0)  # one class all right, the other all wrong, and both weigh the same
    assert coincidence_loss(always).item() == pytest.approx(math.log1p(math.exp(-3)) + math.log1p(math.exp(3)))


def test_gradient_of_the_loss_is_right() -> None:
    logits = torch.randn(4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(coincidence_loss, logits)


@pytest.mark.parametrize("sign", [1, -1])
def test_is_stable_where_probabilities_round_to_zero_and_one(sign: int) -> None:
    logits = sign * (2e4 * torch.eye(6) - 1e4) + torch.randn(6, 6)
    logits.requires_grad_()
    value = coincidence_loss(logits)
    value.backward()
    assert logits.grad.isfinite().all()
    assert value.item() == pytest.approx(0.0 if sign > 0 else 2e4, rel=1e-3, abs=1e-6)
    assert (logits.grad == 0).all() == (sign > 0)


def test_sixteen_bits_do_not_blur_the_loss() -> None:
    logits = torch.randn(32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        blurred = coincidence_loss(logits)
    assert torch.equal(blurred, coincidence_loss(logits))
    assert coincidence_loss(logits.bfloat16()).dtype == torch.float32


def test_order_of_the_clips_does_not_matter_but_of_one_side_alone_does() -> None:
    logits = torch.randn(9, 9, dtype=torch.float64)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(coincidence_loss(logits[order][:, order]), coincidence_loss(logits))
    assert not torch.isclose(coincidence_loss(logits[order]), coincidence_loss(logits))


@pytest.mark.parametrize(("shape", "match"), [((1, 1), "at least 2"), ((3, 4), "not \\(3, 4\\)"), ((4,), "batch")])
def test_logits_without_negatives_or_pairs_are_refused(shape: tuple[int, ...], match: str) -> None:
    with pytest.raises(SoundviewsError, match=match):
        coincidence_loss(torch.zeros(shape))


def test_head_of_ssep() -> None:
    assert sum(p.numel() for p in Coincidence(128).parameters()) == 394_753
    assert not hasattr(Coincidence(128), "project")
    with torch.device("meta"):
        assert next(Coincidence(128).parameters()).is_meta


@pytest.mark.parametrize("pairs_at_once", [1, 15, 40, 10_000])
def test_any_chunks_equal_concatenated_pairs(pairs_at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coincidence, "PAIRS_AT_ONCE", pairs_at_once)
    objective, (h_m, h_c) = head(), made_up(13)
    expected = naive_logits(objective, h_m, h_c)
    torch.testing.assert_close(objective.logits(h_m, h_c), expected)
    ours, naive = objective(h_m, h_c).value, coincidence_loss(expected)
    torch.testing.assert_close(ours, naive)
    for one, other in zip(gradients(objective, ours, h_m, h_c), gradients(objective, naive, h_m, h_c), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-14)


def test_gradient_of_the_head_is_right() -> None:
    objective = head(size=3, hidden=4)
    assert torch.autograd.gradcheck(lambda *h: objective(*h).value, made_up(3, size=3))


def test_float32_gradients_are_those_of_float64() -> None:
    exact, rounded, h = head(), head(kind=torch.float32), made_up(64)
    single = [x.detach().float().requires_grad_() for x in h]
    expected = gradients(exact, exact(*h).value, *h)
    for one, other in zip(gradients(rounded, rounded(*single).value, *single), expected, strict=True):
        assert (one - other).norm() < 1e-5 * other.norm()


def test_mixed_precision_sums_many_chunks_without_losing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """256 chunks of one row: sums of bfloat16 would stand still after a few."""
    objective, h, found = head(kind=torch.float32), made_up(256, kind=torch.float32), []
    for pairs_at_once in (1, 256 * 256):
        monkeypatch.setattr(coincidence, "PAIRS_AT_ONCE", pairs_at_once)
        with torch.autocast("cpu", torch.bfloat16):
            value = objective(*h).value
        assert value.dtype == torch.float32
        found.append(gradients(objective, value, *h))
    for many, one in zip(*found, strict=True):
        assert many.dtype == torch.float32
        assert (many - one).norm() < 0.02 * one.norm()


def test_accuracy_weighs_both_kinds_of_pairs_alike() -> None:
    objective, (h_m, h_c) = head(), made_up(12)
    logits = naive_logits(objective, h_m, h_c)
    positives = sum(bool(logits[i, i] > 0) for i in range(12)) / 12
    negatives = sum(bool(logits[i, j] <= 0) for i in range(12) for j in range(12) if i != j) / (12 * 11)
    assert objective(h_m, h_c).metrics["accuracy"].item() == pytest.approx((positives + negatives) / 2)


def test_learns_to_tell_which_pairs_coincide() -> None:
    torch.manual_seed(0)
    h, objective = torch.randn(32, 16), Coincidence(16, 64)
    optimizer = torch.optim.Adam(objective.parameters(), lr=3e-3)
    assert objective(h, h).metrics["accuracy"] < 0.7
    for _ in range(150):
        optimizer.zero_grad()
        objective(h, h).value.backward()
        optimizer.step()
    assert objective(h, h + 0.01 * torch.randn_like(h)).metrics["accuracy"] > 0.95
