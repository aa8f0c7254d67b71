"""mix_back against eq. 1 in a float64 loop."""

import numpy as np
import pytest
import torch

from soundviews.core.randomness import Randomness
from soundviews.features import LogMel
from soundviews.views import views

FROM_LOG = {
    ("ln", 1.0): np.exp,
    ("log10", 2.0): lambda x: 10.0**x,
    ("db", 2.0): lambda x: 10.0 ** (x / 10),
    ("db", 1.0): lambda x: 10.0 ** (x / 20),
}


def mix_back(log="log10", power=2.0, **options):
    return views.create("mix_back", {"alpha": 0.05, **options}, log_mel=LogMel(16000, log=log, power=power))


def patches(rows=8):
    x = torch.randn(rows, 30, 16, generator=torch.Generator().manual_seed(0))
    x[rows // 2 :] += 1.0  # backgrounds that are louder than their examples
    return x - 2.0


@pytest.mark.parametrize("adjust_energy", [True, False])
@pytest.mark.parametrize(("log", "power"), FROM_LOG)
def test_equation_1(log, power, adjust_energy):
    x, linear = patches(), FROM_LOG[log, power]
    got = linear(mix_back(log, power, adjust_energy=adjust_energy)(x, Randomness(0)).double().numpy())
    weights = Randomness(0).shared.uniform(4, 1, 1, high=0.05)[:, 0, 0].double().numpy()
    for row in range(4):
        example, background = linear(x[row].double().numpy()), linear(x[4 + row].double().numpy())
        ratio = example.sum() / background.sum() if adjust_energy else 1.0
        expected = (1 - weights[row]) * example + weights[row] * ratio * background
        np.testing.assert_allclose(got[row], expected, rtol=2e-5)


def test_energy_is_kept_and_the_example_stays_dominant():
    x = patches(400)
    linear, mixed = 10.0 ** x.double(), 10.0 ** mix_back()(x, Randomness(0)).double()
    energy = linear[:200].sum(dim=(1, 2))
    torch.testing.assert_close(mixed.sum(dim=(1, 2)), energy, rtol=1e-5, atol=0)
    assert (mixed >= 0.95 * linear[:200] * (1 - 1e-5)).all()  # at worst 12.8 dB below the example


@pytest.mark.parametrize(("share_lambda", "equal"), [(True, True), (False, False)])
def test_lambda_is_shared_by_the_pair_or_not(share_lambda, equal):
    view, x = mix_back(share_lambda=share_lambda), patches()
    first, second = (view(x, Randomness(0, branch=branch)) for branch in (0, 1))
    assert torch.equal(first, second) == equal


def test_lambda_is_uniform_up_to_alpha():
    x = torch.zeros(4000, 1, 1)
    x[2000:] = 1.0  # linear 1 and 10: the mixture is 1 + 9 lambda
    weight = (10 ** mix_back(alpha=0.2, adjust_energy=False)(x, Randomness(0)) - 1) / 9
    assert 0 <= weight.min() < 0.002
    assert 0.198 < weight.max() <= 0.2001
    assert abs(weight.mean() - 0.1) < 0.005
