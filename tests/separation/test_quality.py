"""Separation quality against the values of the authors' code, brute force, and separations made by hand."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.separation import mixit
from soundviews.separation.quality import (
    Quality,
    match,
    mom_improvement,
    pairwise_si_snr,
    separation_quality,
    si_snr,
    si_snri,
    snr,
)


def test_si_snr_of_the_reference(tones: Any) -> None:
    s0, s1, s2, s3 = tones.sources
    mom, zero = tones.sources.sum(0), torch.zeros(1600)
    x1 = s0 + s2
    values = {
        (s0, s0): 80.0,
        (-0.3 * s0, s0): 80.0,
        (zero, s0): -80.0,
        (s0, zero): -80.0,
        (zero, zero): -80.0,
        (x1, s0): 12.0412,
        (mom, s0): 4.8396,
        (mom, s1): -6.3473,
        (mom, s2): -13.0642,
        (mom, s3): -19.2428,
        (s0 + 0.5, s0): 3.0103,
    }
    for (estimate, target), expected in values.items():
        assert si_snr(estimate, target).item() == pytest.approx(expected, abs=1e-3)
        pair = pairwise_si_snr(estimate[None, None], target[None, None])
        assert pair.item() == pytest.approx(expected, abs=1e-3)


def test_snr_of_the_reference(tones: Any) -> None:
    s0 = tones.sources[0]
    assert snr(s0, s0).item() == pytest.approx(76.9897, abs=1e-3)
    assert snr(0.5 * s0, s0).item() == pytest.approx(6.0206, abs=1e-3)


def test_si_snr_has_its_digits_where_the_estimate_is_good() -> None:
    target = torch.randn(16000, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(16000, generator=torch.Generator().manual_seed(1))
    for decibels in (20.0, 50.0, 65.0):
        estimate = target + 10 ** (-decibels / 20) * noise
        exact = si_snr(estimate.double(), target.double()).item()
        assert si_snr(estimate, target).item() == pytest.approx(exact, abs=0.02)


def test_si_snr_has_finite_gradients_at_silence() -> None:
    estimate = torch.zeros(2, 30, requires_grad=True)
    si_snr(estimate, torch.stack([torch.ones(30), torch.zeros(30)])).sum().backward()
    assert estimate.grad is not None and estimate.grad.isfinite().all()


def test_pairwise_is_every_pair() -> None:
    estimates, targets = torch.randn(2, 5, 100).double(), torch.randn(2, 3, 100).double()
    expected = si_snr(estimates[:, None], targets[:, :, None])
    torch.testing.assert_close(pairwise_si_snr(estimates, targets), expected)


def test_improvement() -> None:
    target, mixture = torch.randn(100), torch.randn(100)
    assert si_snri(mixture, target, mixture).item() == 0
    assert si_snri(target, target, mixture).item() == pytest.approx(80 - si_snr(mixture, target).item(), abs=1e-3)


@pytest.mark.parametrize(("targets", "estimates"), [(3, 3), (2, 5), (1, 4)])
def test_match_is_the_best_permutation(targets: int, estimates: int) -> None:
    scores = torch.randn(targets, estimates)
    best = max(permutations(range(estimates), targets), key=lambda p: sum(scores[i, e].item() for i, e in enumerate(p)))
    assert match(scores).tolist() == list(best)


def test_match_leaves_targets_over() -> None:
    assert match(torch.tensor([[1.0], [5.0], [2.0]])).tolist() == [-1, 0, -1]


def test_quality_of_separations_made_by_hand(tones: Any) -> None:
    s0, s1, s2, s3 = tones.sources
    zero, faint = torch.zeros(1600), 1e-3 * s3
    sources = torch.stack(
        [torch.stack(row) for row in ([s0, s1, zero], [s0, zero, zero], [s0, s1, s2], [zero, zero, zero])]
    )
    channels = torch.stack(
        [
            torch.stack(row)
            for row in (
                [s1, faint, s0],  # two of two, in another order
                [0.5 * s0, 0.5 * s0 + s3, zero],  # one source in two channels
                [s0 + s1 + s2, faint, faint],  # nothing done
                [faint, zero, zero],
            )
        ]
    )
    quality = separation_quality(channels, sources)
    assert quality.sources.tolist() == [2, 1, 3, 0]
    assert quality.channels[:3].tolist() == [2, 2, 1]
    figures = quality.summary()
    assert (figures["examples"], figures["equal"]) == (3, pytest.approx(1 / 3))
    assert figures["over"] == figures["under"] == pytest.approx(1 / 3)
    assert figures["single_source_si_snr"] == pytest.approx(80, abs=1e-3)
    ideal = [80 - si_snr(s0 + s1, s).item() for s in (s0, s1)]
    assert figures["msi_2"] == pytest.approx(np.mean(ideal), abs=1e-3)
    assert figures["msi_3"] == pytest.approx(0, abs=1e-3)  # the one pair whose channel is active
    assert figures["msi"] == pytest.approx(np.mean([*ideal, 0]), abs=1e-3)


def test_joined_batches_are_one_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    channels, sources = torch.randn(6, 4, 200, generator=generator), torch.randn(6, 3, 200, generator=generator)
    sources[1, 1:] = sources[4, 0] = 0
    whole = separation_quality(channels, sources)
    parts = Quality.join(separation_quality(channels[i : i + 2], sources[i : i + 2]) for i in (0, 2, 4))
    assert parts.summary() == pytest.approx(whole.summary())
    assert parts.example.tolist() == whole.example.tolist()


def test_more_sources_than_channels() -> None:
    sources = torch.randn(1, 5, 300)
    quality = separation_quality(sources[:, 3:], sources)
    assert len(quality.si_snr) == 2 and quality.si_snr.min() > 60
    assert quality.summary()["under"] == 1


def test_no_example_with_a_figure_is_nan() -> None:
    figures = separation_quality(torch.zeros(1, 2, 50), torch.zeros(1, 2, 50)).summary()
    assert figures["examples"] == 0 and np.isnan(figures["msi"]) and np.isnan(figures["over"])


def test_mom_improvement_of_perfect_and_of_useless_estimates(tones: Any) -> None:
    x1, x2 = tones.mixtures[0]
    mom = x1 + x2
    before = np.mean([si_snr(mom, x).item() for x in (x1, x2)])
    assert mom_improvement(tones.sources[None], tones.mixtures).item() == pytest.approx(80 - before, abs=1e-3)
    matched = tones.mixtures / tones.mixtures.square().mean(2, keepdim=True).sqrt()
    halves = (matched.sum(1, keepdim=True) / 2).expand(1, 2, -1)
    assert set(mixit(halves, matched)[1][0].tolist()) == {0, 1}
    assert mom_improvement(halves, matched).item() == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("sources", [(3, 2, 50), (2, 2, 40), (2, 50)])
def test_shapes_that_do_not_fit(sources: tuple[int, ...]) -> None:
    with pytest.raises(SoundviewsError, match="must be"):
        separation_quality(torch.zeros(2, 2, 50), torch.zeros(sources))
