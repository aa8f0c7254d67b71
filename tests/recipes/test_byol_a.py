"""byol_a/small has the parts of BYOL-A: its mixing, its pair of views, and what its normalisations come to."""

import math

import torch

from soundviews.core.randomness import Randomness
from soundviews.recipes.building import build
from soundviews.recipes.loading import load_recipe
from soundviews.views.mix_back import MixBack
from soundviews.views.patch import Patch


def test_both_views_are_of_one_segment_and_each_is_mixed_by_itself() -> None:
    """log((1 - w) e^x + w e^b), w ~ U(0, 0.4): log-mixup-exp, bin by bin."""
    views = build(load_recipe("byol_a/small"), weights=False).views
    steps = [[view for _, view in branch.steps] for branch in views.branches]
    cuts, mixes = ([view for branch in steps for view in branch if isinstance(view, kind)] for kind in (Patch, MixBack))
    last = torch.arange(20) * 10
    starts = [cut.starts(last, Randomness(0, branch=number)) for number, cut in enumerate(cuts)]
    assert torch.equal(*starts) and starts[0].max() > 0
    patches = torch.randn(40, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = []
    for number, mix in enumerate(mixes):
        mixed = mix(patches, Randomness(0, branch=number))
        drawn = Randomness(0, branch=number).uniform(20, 1, 1, high=0.4).flatten().tolist()
        for w, out, x, b in zip(drawn, mixed.tolist(), patches[:20].tolist(), patches[20:].tolist(), strict=True):
            for row in range(3):
                for mel in range(4):
                    linear = (1 - w) * 10 ** x[row][mel] + w * 10 ** b[row][mel]
                    assert math.isclose(out[row][mel], math.log10(linear), abs_tol=1e-6)
        weights.append(drawn)
    assert weights[0] != weights[1]


def test_a_batch_that_is_normalised_after_augmentation_is_the_same_to_the_encoder() -> None:
    """Its first convolution is followed by batch norm: only the border of zeros tells a shift, nothing a gain."""
    encoder = build(load_recipe("byol_a/small")).encoder
    patches = 0.3 + 1.5 * torch.randn(16, 1, 96, 64, generator=torch.Generator().manual_seed(0))
    h, scaled, normalized = (encoder(x) for x in (patches, 2 * patches, (patches - patches.mean()) / patches.std()))
    torch.testing.assert_close(scaled, h, rtol=1e-3, atol=1e-3)
    assert (normalized - h).norm() < 0.05 * h.norm()
