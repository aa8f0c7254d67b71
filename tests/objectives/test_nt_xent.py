"""NT-Xent against eq. 2 of uclser, written as loops."""

import math

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.objectives import NTXent, nt_xent


def equation_2(z_a: torch.Tensor, z_b: torch.Tensor, temperature: float) -> float:
    z = [(v / v.norm()).tolist() for v in torch.cat([z_a, z_b])]
    n, total = len(z_a), 0.0
    for i in range(2 * n):
        similar = [math.exp(sum(p * q for p, q in zip(z[i], z[v], strict=True)) / temperature) for v in range(2 * n)]
        total -= math.log(similar[(i + n) % (2 * n)] / sum(s for v, s in enumerate(similar) if v != i))
    return total / (2 * n)


def views(batch: int, size: int = 8, kind: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(batch)
    return tuple(torch.randn(batch, size, dtype=kind, generator=generator) for _ in range(2))


@pytest.mark.parametrize("batch", [2, 3, 17])
@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0])
def test_equals_the_double_loop_in_float64(batch: int, temperature: float) -> None:
    z_a, z_b = views(batch)
    value = nt_xent(z_a, z_b, temperature)
    assert value.dtype == torch.float64
    assert value.item() == pytest.approx(equation_2(z_a, z_b, temperature), rel=1e-12)


def test_gradient_is_right() -> None:
    z_a, z_b = (z.requires_grad_() for z in views(4))
    assert torch.autograd.gradcheck(lambda a, b: nt_xent(a, b, 0.2), (z_a, z_b))


def test_is_stable_where_exponentials_overflow() -> None:
    z_a, z_b = (z.requires_grad_() for z in views(6, kind=torch.float32))
    value = nt_xent(z_a, z_b, 1e-3)  # cosines of up to 1000 in the exponent
    value.backward()
    assert value.isfinite() and z_a.grad.isfinite().all() and z_b.grad.isfinite().all()
    exact = nt_xent(z_a.detach().double(), z_b.detach().double(), 1e-3)
    torch.testing.assert_close(value.double(), exact, rtol=1e-4, atol=1e-3)


def test_zero_projections_have_finite_gradients() -> None:
    z_a, z_b = torch.zeros(4, 8, requires_grad=True), torch.zeros(4, 8, requires_grad=True)
    nt_xent(z_a, z_b, 0.2).backward()
    assert z_a.grad.isfinite().all() and z_b.grad.isfinite().all()


def test_known_values() -> None:
    apart = torch.eye(8, dtype=torch.float64)
    same = torch.ones(5, 3, dtype=torch.float64)
    assert nt_xent(same, same, 0.2).item() == pytest.approx(math.log(9))  # all alike: a guess among 2N - 1
    expected = -math.log(math.exp(5) / (math.exp(5) + 14))  # the positive at 1, fourteen negatives at 0
    assert nt_xent(apart, apart, 0.2).item() == pytest.approx(expected)


def test_is_symmetric_in_the_views_and_ignores_length() -> None:
    z_a, z_b = views(9)
    torch.testing.assert_close(nt_xent(z_a, z_b, 0.2), nt_xent(z_b, z_a, 0.2))
    torch.testing.assert_close(nt_xent(z_a, z_b, 0.2), nt_xent(7 * z_a, 0.1 * z_b, 0.2))


def test_sixteen_bits_do_not_blur_the_logits() -> None:
    z_a, z_b = views(64, size=32, kind=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        blurred = nt_xent(z_a, z_b, 0.05)
    assert blurred.dtype == torch.float32
    assert torch.equal(blurred, nt_xent(z_a, z_b, 0.05))


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_wrong_temperatures_are_refused(temperature: float) -> None:
    with pytest.raises(SoundviewsError, match="temperature must be positive"):
        nt_xent(*views(4), temperature)


@pytest.mark.parametrize(("embedding_size", "count"), [(512, 526_336), (64, 296_960)])
def test_head_counts_as_published_by_uclser(embedding_size: int, count: int) -> None:
    assert sum(p.numel() for p in NTXent(embedding_size).parameters()) == count


def test_head_of_ssep() -> None:
    objective = NTXent(128, temperature=0.3, hidden_size=256, projection_size=128, head_batch_norm=False)
    assert sum(p.numel() for p in objective.parameters()) == 65_920


def test_each_view_is_normalised_by_its_own_batch() -> None:
    objective = NTXent(8).train()
    a, b = views(32, kind=torch.float32)
    loss = objective(a, 5 + 3 * b).value
    apart = nt_xent(objective.project(a), objective.project(5 + 3 * b), 0.2)
    torch.testing.assert_close(loss, apart)
    torch.testing.assert_close(objective.project(a).norm(dim=1), torch.ones(32))
