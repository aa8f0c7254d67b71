"""resized_crop: statistics of the boxes, and the resize against torch's own."""

import pytest
import torch
import torch.nn.functional as F

from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.views import resized_crop, views


def test_resize_equals_interpolate_of_the_same_crop():
    view = views.create("resized_crop", {"scale": [0.1, 1.0]})
    x = torch.randn(64, 101, 96, generator=torch.Generator().manual_seed(0))
    got = view(x, Randomness(0))
    boxes = torch.stack(view.boxes(64, 101, 96, Randomness(0)), dim=1).tolist()
    for row, (top, height, left, width) in enumerate(boxes):
        part = x[row, top : top + height, left : left + width]
        expected = F.interpolate(part[None, None], (101, 96), mode="bilinear", align_corners=False)[0, 0]
        torch.testing.assert_close(got[row], expected, rtol=1e-4, atol=1e-4)


def test_boxes_have_the_published_statistics():
    """uclser's settings, 200,000 draws of the original: see the acceptance, areas and sizes of its crops."""
    view, count = views.create("resized_crop"), 200_000
    top, height, left, width = view.boxes(count, 101, 96, Randomness(0))
    assert abs(height.double().mean() - 94) < 0.5
    assert abs(width.double().mean() - 90) < 0.5
    assert abs((height * width).double().mean() / (101 * 96) - 0.868) < 0.002
    assert (height.min(), height.max(), width.min(), width.max()) == (80, 101, 76, 96)
    assert ((top + height <= 101) & (left + width <= 96) & (top >= 0) & (left >= 0)).all()
    whole = ((height == 101) & (width == 96)).double().mean()
    assert 0.003 < whole < 0.012  # the fall-backs, 0.5 %, and the few that were drawn so


def test_41_percent_of_the_tries_fit(monkeypatch):
    """With a single try, what falls back did not fit. (The whole patch is hardly ever drawn.)"""
    monkeypatch.setattr(resized_crop, "_TRIES", 1)
    _, height, _, width = views.create("resized_crop").boxes(200_000, 101, 96, Randomness(0))
    assert abs(((height < 101) | (width < 96)).double().mean() - 0.41) < 0.01


def test_positions_are_uniform_and_reach_both_ends():
    view = views.create("resized_crop", {"scale": [0.8, 0.8], "ratio": [1.0, 1.0]})
    top, height, _, _ = view.boxes(20_000, 100, 100, Randomness(0))
    assert (height == 89).all()
    counts = torch.bincount(top, minlength=12) / 20_000
    assert len(counts) == 12
    assert (counts - 1 / 12).abs().max() < 0.01


def test_fall_back_of_patches_outside_the_ratios_is_the_largest_crop_in_the_middle():
    view = views.create("resized_crop", {"scale": [1.0, 1.0]})
    assert [int(value[0]) for value in view.boxes(1, 400, 90, Randomness(0))] == [140, 120, 0, 90]
    assert [int(value[0]) for value in view.boxes(1, 90, 400, Randomness(0))] == [0, 90, 140, 120]


def test_whole_crops_change_nothing():
    x = torch.randn(4, 96, 96, generator=torch.Generator().manual_seed(0))
    view = views.create("resized_crop", {"scale": [1.0, 1.0], "ratio": [1.0, 1.0]})
    torch.testing.assert_close(view(x, Randomness(0)), x)


def test_impossible_scale():
    with pytest.raises(SoundviewsError, match="scale"):
        views.create("resized_crop", {"scale": [1.0, 0.5]})
