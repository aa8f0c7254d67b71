"""spec_augment: what is masked, how wide, where, and with what."""

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.views import views


def patches(rows=3000, frames=30, mels=20):
    return torch.randn(rows, frames, mels, generator=torch.Generator().manual_seed(0)) + 1.0


def masked(x, y):
    """Bands and frames that lie wholly under a mask, bool (rows, mels) and (rows, frames)."""
    changed = x != y
    return changed.all(dim=1), changed.all(dim=2)


def runs(row):
    return "".join("x" if value else " " for value in row.tolist()).split()


def test_one_mask_has_every_width_and_place():
    """int(U(0, 6)): 0 .. 5; starts 0 .. size - width, the last one included."""
    x = patches()
    y = views.create("spec_augment", {"freq_masks": 1, "freq_width": 6, "time_masks": 0, "value": "max"})(
        x, Randomness(0)
    )
    y = torch.where(y == x, x, torch.full_like(x, 99.0))  # the maximum itself may lie under the mask
    bands = (y == 99.0).float().mean(dim=1) > 0.9
    widths = bands.sum(dim=1)
    assert (torch.bincount(widths, minlength=6) / 3000 - 1 / 6).abs().max() < 0.03
    assert all(len(runs(row)) <= 1 for row in bands)
    for width in range(1, 6):
        starts = bands[widths == width].int().argmax(dim=1)
        assert (starts.min(), starts.max()) == (0, 20 - width)


def test_masks_of_both_axes_and_nothing_else():
    x = patches(500)
    y = views.create("spec_augment", {"freq_width": 5, "time_width": 8, "value": "zero"})(x, Randomness(0))
    bands, times = masked(x, y)
    assert torch.equal(x != y, bands[:, None] | times[..., None])
    assert (y[x != y] == 0).all()
    assert 4 < bands.sum(dim=1).max() <= 8  # two masks of 0 .. 4 bands
    assert 7 < times.sum(dim=1).max() <= 14
    assert max(len(runs(row)) for row in times) == 2


@pytest.mark.parametrize("value", ["min", "max", "mean"])
def test_what_is_written_is_the_patches_own(value):
    x = patches(200)
    y = views.create("spec_augment", {"value": value})(x, Randomness(0))
    for before, after in zip(x, y, strict=True):
        written = after[after != before]
        expected = getattr(before, value)()
        torch.testing.assert_close(written, expected.expand_as(written))


def test_noise_has_the_patches_mean_and_deviation():
    x = patches(500) * 3
    y = views.create("spec_augment", {"value": "noise"})(x, Randomness(0))
    written = y[y != x]
    assert abs(written.mean() - 3) < 0.1
    assert abs(written.std() - 3) < 0.1


def test_masks_wider_than_the_patch():
    y = views.create("spec_augment", {"freq_width": 100, "time_width": 100})(patches(50), Randomness(0))
    assert torch.isfinite(y).all()


def test_unknown_value():
    with pytest.raises(SoundviewsError, match="noise"):
        views.create("spec_augment", {"value": "median"})
