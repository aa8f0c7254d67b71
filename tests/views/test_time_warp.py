"""time_warp against np.interp, and where its warps lie."""

import numpy as np
import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.views import views


def patches(rows=40, frames=30, mels=5):
    return torch.randn(rows, frames, mels, generator=torch.Generator().manual_seed(0))


def warp(x, max_warp=4, step=0):
    return views.create("time_warp", {"max_warp": max_warp})(x, Randomness(0, step))


def drawn(rows, frames=30, most=4, step=0):
    return views.create("time_warp").warps(rows, frames, most, Randomness(0, step))


def test_equals_a_loop_of_numpys_interpolation():
    x = patches().double()
    y = warp(x)
    for row, (centre, landing) in enumerate(zip(*(d.double().tolist() for d in drawn(40)), strict=True)):
        source = np.interp(np.arange(30), [0, landing, 29], [0, centre, 29])
        for band in range(5):
            expected = np.interp(source, np.arange(30), x[row, :, band].numpy())
            np.testing.assert_allclose(y[row, :, band].numpy(), expected, atol=2e-5)


def test_the_centre_lands_where_it_should_and_the_ends_stay():
    """A ramp shows where every frame came from."""
    ramp = torch.arange(30.0)[None, :, None].expand(500, 30, 2)
    y = warp(ramp)
    centre, landing = drawn(500)
    assert torch.equal(y[:, 0], ramp[:, 0])
    assert torch.equal(y[:, -1], ramp[:, -1])
    below = landing.floor().long()
    row = torch.arange(500)
    around = y[row, below, 0], y[row, below + 1, 0]
    assert (around[0] <= centre + 1e-5).all()
    assert (around[1] >= centre - 1e-5).all()
    assert (y.diff(dim=1) > 0).all(), "time never runs backwards nor stands still"


def test_no_warp_changes_nothing(monkeypatch):
    view = views.create("time_warp")
    centre = torch.arange(9.0, 21.0)
    monkeypatch.setattr(view, "warps", lambda *_: (centre, centre))
    x = patches(12)
    torch.testing.assert_close(view(x, Randomness(0)), x, atol=1e-5, rtol=0)


def test_warps_and_centres_cover_their_ranges_evenly():
    centre, landing = drawn(20_000, frames=30, most=4)
    moved = landing - centre
    assert (moved >= -4).all() and (moved <= 4).all()
    shares = torch.histc(moved, 8, -4, 4) / 20_000
    assert (shares - 1 / 8).abs().max() < 0.01
    assert set(centre.tolist()) == set(range(5, 25))  # more than 4 frames from frames 0 and 29
    assert (torch.bincount(centre.long())[5:] / 20_000 - 1 / 20).abs().max() < 0.01


def test_is_a_function_of_the_keys():
    x = patches()
    assert torch.equal(warp(x), warp(x))
    assert not torch.equal(warp(x), warp(x, step=1))


@pytest.mark.parametrize(("frames", "most"), [(4, 0), (5, 1), (18, 7), (19, 8), (96, 8)])
def test_short_patches_are_warped_as_far_as_they_allow(frames, most):
    x = torch.arange(float(frames))[None, :, None].expand(300, frames, 1)
    moved = (warp(x, max_warp=8) - x).abs().amax()
    assert moved <= most + 1e-4
    assert moved > 0.8 * most or most == 0


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_patches_too_short_to_warp_stay(frames):
    x = patches(frames=frames)
    assert torch.equal(warp(x, max_warp=8), x)


def test_no_warp_at_all_is_refused():
    with pytest.raises(SoundviewsError, match="at least one frame"):
        views.create("time_warp", {"max_warp": 0})
