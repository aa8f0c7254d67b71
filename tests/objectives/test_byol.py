"""BYOL's loss against eq. 2 of Grill et al. written as a loop, its momentum, and what gets a gradient."""

import math

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.objectives import BYOL, Average
from soundviews.objectives.byol import byol_loss


def outputs(count: int, batch: int = 5, size: int = 6) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(batch, size, dtype=torch.float64, generator=generator) for _ in range(count)]


def test_equals_the_loop() -> None:
    p_a, p_b, z_a, z_b = outputs(4)
    total = 0.0
    for prediction, target in ((p_a, z_b), (p_b, z_a)):
        for p, z in zip(prediction.tolist(), target.tolist(), strict=True):
            lengths = math.hypot(*p), math.hypot(*z)
            total += sum((x / lengths[0] - y / lengths[1]) ** 2 for x, y in zip(p, z, strict=True)) / len(p_a)
    assert byol_loss(p_a, p_b, z_a, z_b).value.item() == pytest.approx(total, rel=1e-12)


def test_accuracy_tells_collapse() -> None:
    z_a, z_b = outputs(2, batch=20)
    assert byol_loss(z_b, z_a, z_a, z_b).metrics["accuracy"] == 1
    collapsed = torch.ones_like(z_a)
    loss = byol_loss(collapsed, collapsed, collapsed, collapsed)
    assert loss.value == pytest.approx(0, abs=1e-12) and loss.metrics["accuracy"] == pytest.approx(1 / 20)


def test_targets_get_no_gradient() -> None:
    p_a, p_b, z_a, z_b = (x.requires_grad_() for x in outputs(4))
    byol_loss(p_a, p_b, z_a, z_b).value.backward()
    assert p_a.grad is not None and p_b.grad is not None
    assert z_a.grad is None and z_b.grad is None


def test_momentum_rises_to_one_along_a_cosine_or_stays() -> None:
    rising, constant = BYOL(8, momentum=0.99), BYOL(8, momentum=0.9, momentum_schedule="constant")
    assert [rising.momentum(share) for share in (0.0, 0.5, 1.0)] == pytest.approx([0.99, 0.995, 1.0])
    assert {constant.momentum(share) for share in (0.0, 0.5, 1.0)} == {0.9}


@pytest.mark.parametrize("options", [{"momentum": 1.5}, {"momentum_schedule": "linear"}])
def test_impossible_options(options: dict) -> None:
    with pytest.raises(ValueError, match="must"):
        BYOL(8, **options)


def test_one_example_has_no_batch_statistics() -> None:
    h = torch.randn(1, 8)
    with pytest.raises(SoundviewsError, match="at least 2 examples"):
        BYOL(8)(h, h, averaged=(h, h))


def test_an_average_starts_as_the_network_follows_it_and_stays_without_gradient() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    average, x = Average(network), torch.randn(6, 3)
    before = network[0].weight.detach().clone()
    assert torch.equal(average(x), network(x)) and not average(x).requires_grad
    with torch.no_grad():
        network[0].weight += 1
    average.update(network, momentum=0.75)
    torch.testing.assert_close(average.network[0].weight, before + 0.25)
    assert not any(parameter.requires_grad for parameter in average.parameters())
    assert all(parameter.requires_grad for parameter in network.parameters())
