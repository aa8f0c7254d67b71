"""compression, gaussian_noise, the shifts, blur and time_reversal against loops over examples."""

import numpy as np
import pytest
import scipy.ndimage
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.views import views


def patches(rows=64, frames=40, mels=24):
    return torch.randn(rows, frames, mels, generator=torch.Generator().manual_seed(0)) - 3.0


@pytest.mark.parametrize(("alpha", "low", "high"), [(0.75, 0.75, 1.0), (1.5, 1.0, 1.5)])
def test_compression_is_one_factor_a_patch(alpha, low, high):
    x = patches(2000, 3, 2)
    factor = views.create("compression", {"alpha": alpha})(x, Randomness(0)) / x
    torch.testing.assert_close(factor, factor[:, :1, :1].expand_as(factor))
    factor = factor[:, 0, 0]
    assert low - 1e-6 <= factor.min() < low + 0.01
    assert high - 0.01 < factor.max() <= high + 1e-6
    assert abs(factor.mean() - (low + high) / 2) < 0.01


def test_gaussian_noise_has_one_deviation_a_patch_uniform_up_to_the_maximum():
    x = torch.zeros(2000, 40, 24)
    noise = views.create("gaussian_noise", {"max_std": 0.5})(x, Randomness(0))
    std = noise.std(dim=(1, 2))
    assert std.min() < 0.005
    assert 0.48 < std.max() < 0.54
    assert abs(std.mean() - 0.25) < 0.01
    assert noise.mean(dim=(1, 2)).abs().max() < 0.1


@pytest.mark.parametrize(("name", "axis"), [("time_shift", 0), ("frequency_shift", 1)])
def test_shifts_are_circular_and_never_zero(name, axis):
    x = patches(500)
    y = views.create(name, {"max": 10})(x, Randomness(0))
    seen = set()
    for before, after in zip(x.numpy(), y.numpy(), strict=True):
        fitting = [k for k in range(before.shape[axis]) if np.array_equal(np.roll(before, k, axis=axis), after)]
        assert len(fitting) == 1
        seen.update(fitting)
    assert seen == set(range(1, 10))


def test_blur_equals_scipy_for_the_same_kernels():
    x = patches(16)
    view = views.create("blur", {"max_kernel": 5, "sigma": 1.5})
    y, kernels = view(x, Randomness(0)), view.kernels(32, Randomness(0)).double().numpy()
    for row in range(16):
        expected = scipy.ndimage.convolve1d(x[row].double().numpy(), kernels[row], axis=0, mode="mirror")
        expected = scipy.ndimage.convolve1d(expected, kernels[16 + row], axis=1, mode="mirror")
        np.testing.assert_allclose(y[row].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_blur_kernels_are_normalised_gaussians_of_every_odd_size():
    kernels = views.create("blur", {"max_kernel": 5, "sigma": 2.0}).kernels(3000, Randomness(0))
    torch.testing.assert_close(kernels.sum(dim=1), torch.ones(3000))
    sizes = (kernels > 0).sum(dim=1)
    assert (torch.bincount(sizes)[[1, 3, 5]] / 3000 - 1 / 3).abs().max() < 0.03
    three = kernels[sizes == 3][0, 1:4].double().numpy()
    expected = np.exp(-(np.array([-1.0, 0.0, 1.0]) ** 2) / 8)
    np.testing.assert_allclose(three, expected / expected.sum(), rtol=1e-5)


def test_time_reversal_flips_a_share_of_the_patches():
    x = patches(2000, 5, 4)
    y = views.create("time_reversal", {"p": 0.3})(x, Randomness(0))
    flipped = (y == x.flip(1)).all(dim=(1, 2))
    assert (flipped | (y == x).all(dim=(1, 2))).all()
    assert abs(flipped.float().mean() - 0.3) < 0.03


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("compression", {"alpha": 0.0}),
        ("gaussian_noise", {"max_std": -1.0}),
        ("time_shift", {"max": 1}),
        ("blur", {"max_kernel": 4}),
        ("time_reversal", {"p": 1.5}),
        ("noise", {"std": -1.0}),
    ],
)
def test_impossible_options_name_the_view(name, options):
    with pytest.raises(SoundviewsError, match=name):
        views.create(name, options)
