"""peak_normalize and l2_normalize against numpy, clip by clip, in float64."""

import numpy as np
import torch

from soundviews.core.randomness import Randomness
from soundviews.features import Clips
from soundviews.views import views

LENGTHS = (5000, 1234, 1)


def clips(offset: float) -> Clips:
    samples = torch.zeros(3, 5000)
    for row, length in enumerate(LENGTHS):
        samples[row, :length] = torch.randn(length, generator=torch.Generator().manual_seed(row)) * 0.1 + offset
    return Clips(samples, torch.tensor(LENGTHS))


def test_peak_normalize_takes_each_clip_alone():
    given = clips(offset=0.7)
    got = views.create("peak_normalize")(given, Randomness(0))
    for row, length in enumerate(LENGTHS):
        clip = given.samples[row, :length].double().numpy()
        centred = clip - clip.mean()
        np.testing.assert_allclose(
            got.samples[row, :length].numpy(), centred / (np.abs(centred).max() + 0.005), rtol=1e-4, atol=1e-5
        )


def test_l2_normalize_gives_whole_clips_unit_norm():
    given = clips(offset=0.0)
    got = views.create("l2_normalize")(given, Randomness(0))
    for row, length in enumerate(LENGTHS):
        clip = given.samples[row, :length].double().numpy()
        np.testing.assert_allclose(
            got.samples[row, :length].numpy(), clip / np.sqrt(max((clip**2).sum(), 1e-9)), rtol=1e-5
        )


def test_l2_normalize_leaves_near_silence_alone():
    got = views.create("l2_normalize")(Clips(torch.full((1, 4), 1e-8), torch.tensor([4])), Randomness(0))
    torch.testing.assert_close(got.samples, torch.full((1, 4), 1e-8 / 1e-9**0.5))
