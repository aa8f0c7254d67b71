"""What the branches want of the processors, and where the channels go."""

import numpy as np
import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.features import LogMel
from soundviews.views.pipeline import TwoViews

CONTEXT = {"log_mel": LogMel(16000), "sample_rate": 16000, "fill": "repeat"}
PATCH = {"patch": {"frames": 20}}
BATCH = 4000


def two_views(anchor: dict | None, positive: dict | None) -> TwoViews:
    steps = [[{"separate": options}, PATCH] if options else [PATCH] for options in (anchor, positive)]
    return TwoViews(*steps, **CONTEXT)


def test_mix_against_channel_draws_for_the_positive_alone() -> None:
    views = two_views(None, {"processors": ["S2", "F", "N"]})
    assert views.processors == ["S2", "F", "N"]
    (wanted,) = views.wanted(BATCH, (0, 5, 0))
    shares = np.bincount(wanted.processor, minlength=3) / BATCH
    assert shares == pytest.approx([1 / 3] * 3, abs=0.03)
    assert not wanted.second
    (again,), (other,) = views.wanted(BATCH, (0, 5, 0)), views.wanted(BATCH, (0, 6, 0))
    assert np.array_equal(wanted.uniform, again.uniform) and np.array_equal(wanted.processor, again.processor)
    assert not np.array_equal(wanted.uniform, other.uniform)


def test_channel_against_channel_takes_two_of_one_separation() -> None:
    first, second = two_views({"processors": ["S2", "N"]}, {"processors": ["S2", "N"]}).wanted(BATCH, (0, 5, 0))
    assert np.array_equal(first.processor, second.processor)
    sources, none = np.full(BATCH, 2), np.zeros(BATCH, np.int64)
    assert not (first.channel(sources, none) == second.channel(sources, none)).any()


def test_branches_count_in_all_processors_of_the_training() -> None:
    first, second = two_views({"processors": ["N"]}, {"processors": ["S2", "N"]}).wanted(BATCH, (0,))
    assert set(first.processor) == {0} and set(second.processor) == {0, 1}


def test_channels_take_the_place_of_the_examples_of_their_branch() -> None:
    views = two_views(None, {"processors": ["N"]})
    generator = torch.Generator().manual_seed(0)
    samples, lengths = torch.randn(3, 16000, generator=generator) * 0.1, torch.full((3,), 16000)
    channels = torch.randn(1, 3, 16000, generator=generator) * 0.1
    anchors, positives = views(samples, lengths, (0,), channels)
    plain = two_views(None, None)
    assert torch.equal(anchors, plain(samples, lengths, (0,))[0])
    assert torch.equal(positives, plain(channels[0], lengths, (0,))[1])


def test_backgrounds_stay_mixtures() -> None:
    steps = [
        {"separate": {"processors": ["N"]}},
        {"patch": {"frames": 20, "pair": "same"}},
        {"mix_back": {"alpha": 0.5}},
    ]
    views = TwoViews(steps, [PATCH, {"mix_back": {"alpha": 0.5}}], **CONTEXT)
    samples, lengths = torch.randn(9, 16000, generator=torch.Generator().manual_seed(0)), torch.full((9,), 16000)
    channels = samples[None, :3] * 0.5
    plain = TwoViews(steps[1:], [PATCH, {"mix_back": {"alpha": 0.5}}], **CONTEXT)
    replaced = torch.cat([channels[0], samples[3:]])
    assert torch.equal(views(samples, lengths, (0,), channels)[0], plain(replaced, lengths, (0,))[0])


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (["peak_normalize", {"separate": {"processors": ["N"]}}, PATCH], "first step"),
        ([{"separate": {"processors": []}}, PATCH], "list of different names"),
        ([{"separate": {"processors": "N"}}, PATCH], "processors"),
        ([{"separate": {"processors": ["N", "N"]}}, PATCH], "list of different names"),
        ([{"separate": {"processor": ["N"]}}, PATCH], "did you mean 'processors'"),
    ],
)
def test_what_cannot_be(steps: list, message: str) -> None:
    with pytest.raises(SoundviewsError, match=message):
        TwoViews(steps, [PATCH], **CONTEXT)
