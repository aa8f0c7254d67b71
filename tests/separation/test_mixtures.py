"""Level matching, and the assignments that teach nothing."""

import warnings

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.separation import mixit, mixture_consistency
from soundviews.separation.mixtures import DegenerateShare, degenerate, match_levels, mix_pairs


def rms(x: torch.Tensor) -> torch.Tensor:
    return x.square().mean(-1).sqrt()


def test_levels_meet_at_their_geometric_mean() -> None:
    mixtures = torch.randn(3, 2, 400) * torch.tensor([[1.0, 0.01], [0.2, 0.2], [3.0, 5.0]])[..., None]
    matched = match_levels(mixtures)
    expected = rms(mixtures).prod(1, keepdim=True).sqrt().expand(3, 2)
    torch.testing.assert_close(rms(matched), expected)
    torch.testing.assert_close(torch.nn.functional.cosine_similarity(matched, mixtures, dim=2), torch.ones(3, 2))


def test_silence_has_no_say_in_the_level() -> None:
    mixtures = torch.zeros(2, 3, 100)
    mixtures[0, 1:] = torch.randn(2, 100) * torch.tensor([[0.1], [0.4]])
    matched = match_levels(mixtures)
    assert not matched[1].any() and not matched[0, 0].any()
    torch.testing.assert_close(rms(matched)[0, 1:], rms(mixtures)[0, 1:].prod().sqrt().expand(2))


def test_pairs_are_neighbours_and_add_up() -> None:
    clips = torch.randn(6, 80)
    moms, mixtures = mix_pairs(clips, level_match=False)
    assert torch.equal(mixtures.flatten(0, 1), clips)
    torch.testing.assert_close(moms, clips[0::2] + clips[1::2])
    moms, mixtures = mix_pairs(clips)
    torch.testing.assert_close(moms, mixtures.sum(1))
    torch.testing.assert_close(rms(mixtures[:, 0]), rms(mixtures[:, 1]))


@pytest.mark.parametrize("clips", [torch.zeros(3, 10), torch.zeros(0, 10), torch.zeros(10)])
def test_pairs_need_an_even_number_of_clips(clips: torch.Tensor) -> None:
    with pytest.raises(SoundviewsError, match="even number"):
        mix_pairs(clips)


def test_degenerate_is_a_mixture_without_estimate() -> None:
    assignment = torch.tensor([[0, 0, 0], [1, 1, 1], [0, 1, 0]])
    assert degenerate(assignment).tolist() == [True, True, False]
    assert degenerate(torch.tensor([[0, 1, 0], [2, 1, 0]]), mixtures=3).tolist() == [True, False]


@pytest.mark.parametrize(("sources", "limit_db"), [(2, 4.77), (4, 8.45), (8, 11.76)])
def test_unequal_levels_make_equal_estimates_degenerate(sources: int, limit_db: float) -> None:
    """An untrained separator's equal shares: degenerate beyond 10 log10(2 M - 1) dB, never once levels match."""
    first, second = torch.randn(2, 8, 1000, generator=torch.Generator().manual_seed(0))
    second = second - (first * second).sum(1, keepdim=True) / first.square().sum(1, keepdim=True) * first
    mixtures = match_levels(torch.stack([first, second], dim=1))
    for difference, expected in ((limit_db - 0.1, 0.0), (limit_db + 0.1, 1.0)):
        unequal = mixtures * torch.tensor([1.0, 10 ** (-difference / 20)])[:, None]
        shares = []
        for pair in (unequal, match_levels(unequal)):
            estimates = mixture_consistency(torch.zeros(8, sources, 1000), pair.sum(1))
            shares.append(degenerate(mixit(estimates, pair)[1]).float().mean().item())
        assert shares == [expected, 0.0]


def test_the_share_is_followed_and_warned_about_once() -> None:
    good, bad = torch.tensor([[0, 1], [1, 0]]), torch.tensor([[0, 0], [1, 1]])
    follow = DegenerateShare(limit=0.5, patience=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert follow.update(bad) == 1.0
        assert follow.update(good) == 0.5
        for _ in range(7):
            follow.update(bad)
    with pytest.warns(UserWarning, match="no channel"):
        assert follow.update(bad) == pytest.approx(0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        follow.update(bad)
        for _ in range(200):
            follow.update(good)
    assert follow.share < 0.01
