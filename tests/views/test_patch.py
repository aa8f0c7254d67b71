"""patch: random, same and fixed-distance pairs, equal to slices of the whole log-mel."""

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.features import Clips, LogMel
from soundviews.views import views

LOG_MEL = LogMel(16000, center=True)


def patch(**options):
    return views.create("patch", {"frames": 10, **options}, log_mel=LOG_MEL, fill="repeat")


def pair(view, last, step=0):
    return [view.starts(last, Randomness(0, step, branch=branch)) for branch in (0, 1)]


def test_patches_lie_in_the_whole_spectrogram():
    samples = torch.randn(6, 8000, generator=torch.Generator().manual_seed(0))
    clips, view = Clips(samples, torch.full((6,), 8000)), patch()
    whole = LOG_MEL(samples)
    got, starts = view(clips, Randomness(0)), view.starts(torch.full((6,), 41), Randomness(0))
    for row, start in enumerate(starts.tolist()):
        torch.testing.assert_close(got[row], whole[row, start : start + 10], rtol=1e-5, atol=1e-5)


def test_random_starts_are_uniform_independent_and_reach_the_last_place():
    """The original's upper bound is exclusive: its last start is never drawn."""
    last = torch.full((20000,), 4)
    first, second = pair(patch(pair="random"), last)
    for starts in (first, second):
        assert torch.bincount(starts, minlength=5).div(20000).sub(0.2).abs().max() < 0.015
    assert abs((first == second).float().mean() - 0.2) < 0.015


def test_the_same_patch_for_both_branches_but_not_for_every_step():
    last = torch.full((1000,), 300)
    first, second = pair(patch(pair="same"), last)
    assert torch.equal(first, second)
    assert first.unique().numel() > 200
    assert not torch.equal(pair(patch(pair="same"), last, step=1)[0], first)


def test_fixed_distance():
    last = torch.tensor([300] * 5000 + [25] * 50 + [7] * 50 + [0] * 50)
    first, second = pair(patch(pair=25), last)
    assert ((second - first) == last.clamp(max=25)).all()
    assert (first >= 0).all()
    assert (second <= last).all()
    assert (first[:5000].min(), second[:5000].max()) == (0, 300)


@pytest.mark.parametrize("options", [{"pair": "both"}, {"pair": -1}, {"pair": True}, {"frames": 0}])
def test_impossible_options(options):
    with pytest.raises(SoundviewsError, match="patch"):
        patch(**options)
