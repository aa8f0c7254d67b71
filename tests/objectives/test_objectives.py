"""What every registered objective does."""

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.objectives import Loss, objectives

NAMES = objectives.names()


def create(name: str, **options) -> torch.nn.Module:
    torch.manual_seed(0)
    return objectives.create(name, {**objectives.example(name), **options}, embedding_size=24)


def compute(objective: torch.nn.Module, a: torch.Tensor, b: torch.Tensor) -> Loss:
    """The loss, with what else the objective asks for: two further views, when both views begin, and an average that is
    the head itself."""
    further = (a.roll(1, 1), b.roll(1, 1)) if getattr(objective, "further", False) else ()
    if getattr(objective, "positions", False):
        return objective(a, b, positions=(torch.arange(len(a)) % 4, torch.zeros(len(a))))
    if not hasattr(objective, "momentum"):
        return objective(a, b, *further)
    averaged = (objective.head(a).detach(), objective.head(b).detach())
    return objective(a, b, *further, averaged=averaged)


CONTRASTS = [name for name in NAMES if hasattr(create(name), "project")]  # z, and accuracy among all N


def embeddings(batch: int = 16, size: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return tuple(torch.randn(batch, size, generator=generator, requires_grad=True) for _ in range(2))


def test_all_are_there() -> None:
    assert {"nt_xent", "bilinear", "dot", "byol", "multi_crop", "triplet"} <= set(CONTRASTS)
    assert {"coincidence", "temporal_gap"} <= set(NAMES) - set(CONTRASTS)


@pytest.mark.parametrize("name", NAMES)
def test_value_is_a_scalar_that_reaches_every_weight(name: str) -> None:
    objective, (a, b) = create(name), embeddings()
    loss = compute(objective, a, b)
    assert loss.value.shape == () and loss.value > 0
    loss.value.backward()
    for tensor in (a, b, *objective.parameters()):
        assert tensor.grad is not None and tensor.grad.isfinite().all()
    assert a.grad.abs().sum() > 0 and b.grad.abs().sum() > 0


@pytest.mark.parametrize("name", NAMES)
def test_metrics_can_be_logged(name: str) -> None:
    metrics = compute(create(name), *embeddings()).metrics
    assert 0 <= metrics["accuracy"] <= 1 and 0 < metrics["chance"] <= 0.5
    assert all(value.shape == () and not value.requires_grad for value in metrics.values())


@pytest.mark.parametrize("name", CONTRASTS)
def test_in_batch_accuracy_is_one_for_views_that_agree_and_low_for_strangers(name: str) -> None:
    objective = create(name).eval()
    a, b = embeddings(batch=64)
    assert compute(objective, a, b).metrics["accuracy"] < 0.2
    objective.train()
    for _ in range(100):
        value = compute(objective, a.detach(), a.detach() + 0.01 * b.detach()).value
        gradients = torch.autograd.grad(value, list(objective.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(objective.parameters(), gradients, strict=True):
                parameter -= 0.05 * gradient
    assert compute(objective, a, a + 0.01 * b).metrics["accuracy"] == 1


@pytest.mark.parametrize("name", CONTRASTS)
def test_project_gives_z(name: str) -> None:
    h, _ = embeddings()
    z = create(name).project(h)
    assert z.ndim == 2 and len(z) == 16 and z.requires_grad


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_loss_is_float32_under_autocast(name: str, kind: torch.dtype) -> None:
    objective, (a, b) = create(name).eval(), embeddings()
    exact = compute(objective, a, b).value
    with torch.autocast("cpu", kind):
        loss = compute(objective, a.to(kind), b.to(kind))
    assert loss.value.dtype == torch.float32
    torch.testing.assert_close(loss.value, exact, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_one_example_is_a_clear_error(name: str) -> None:
    with pytest.raises(SoundviewsError, match="at least 2 examples"):
        compute(create(name).eval(), *embeddings(batch=1))


@pytest.mark.parametrize("name", NAMES)
def test_views_that_do_not_pair_up_are_a_clear_error(name: str) -> None:
    with pytest.raises(SoundviewsError, match="of one shape"):
        compute(create(name), embeddings(4)[0], embeddings(5)[0])


@pytest.mark.parametrize("name", ["nt_xent", "dot"])
def test_temperature_must_be_positive(name: str) -> None:
    with pytest.raises(SoundviewsError, match="temperature must be positive"):
        create(name, temperature=0.0)
