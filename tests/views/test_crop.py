"""crop: where snippets start, and short clips."""

import torch

from soundviews.core.randomness import Randomness
from soundviews.features import Clips
from soundviews.views import views


def crop(**options):
    return views.create("crop", {"seconds": 0.01, **options}, sample_rate=1000)


def ramp(batch: int, length: int) -> Clips:
    return Clips(torch.arange(1.0, length + 1).expand(batch, length), torch.full((batch,), length))


def test_starts_are_uniform_and_the_last_one_is_drawn():
    snippets = crop()(ramp(20000, 14), Randomness(0))
    starts, counts = snippets[:, 0].unique(return_counts=True)
    assert starts.tolist() == [1, 2, 3, 4, 5]
    assert (counts / 20000 - 0.2).abs().max() < 0.015
    assert torch.equal(snippets, snippets[:, :1] + torch.arange(10))


def test_short_clips_are_repeated_or_padded():
    clip = ramp(1, 4)
    assert crop(fill="repeat")(clip, Randomness(0)).tolist() == [[1, 2, 3, 4, 1, 2, 3, 4, 1, 2]]
    assert crop(fill="pad")(clip, Randomness(0)).tolist() == [[0, 0, 0, 1, 2, 3, 4, 0, 0, 0]]


def test_noise_has_the_stated_deviation():
    noisy = views.create("noise", {"std": 0.02})(torch.full((20, 20000), 0.5), Randomness(0)) - 0.5
    torch.testing.assert_close(noisy.std(dim=1), torch.full((20,), 0.02), rtol=0.03, atol=0)
    assert noisy.mean().abs() < 1e-4
