"""Each transformation does to the waveform what its name says, within each clip's own length."""

import pytest
import torch

from soundviews.core.randomness import Randomness
from soundviews.evaluation import transformations
from soundviews.features.patches import Clips

RATE = 8000


@pytest.fixture
def clips() -> Clips:
    """One second of noise, and an odd number of samples of louder noise that gets louder in its second half."""
    samples = Randomness(0).normal(2, RATE)
    samples[1] *= 5
    samples[1, 2500:] *= 2
    samples[1, 5001:] = 0
    return Clips(samples, torch.tensor([RATE, 5001]))


def apply(name: str, clips: Clips) -> Clips:
    return transformations.transformed(transformations.create(name, RATE), clips, Randomness(1))


@pytest.mark.parametrize(("name", "snr"), [("noise 20 dB", 20), ("noise 10 dB", 10)])
def test_noise_has_the_ratio_to_each_clips_own_power(clips: Clips, name: str, snr: float) -> None:
    noisy = apply(name, clips)
    noise = noisy.samples - clips.samples
    ratio = 10 * torch.log10(clips.samples.square().sum(1) / noise.square().sum(1))
    torch.testing.assert_close(ratio, torch.full((2,), float(snr)), atol=0.2, rtol=0)
    assert not noisy.samples[1, 5001:].any()


def test_gain_is_in_decibels(clips: Clips) -> None:
    ratio = apply("gain -6 dB", clips).samples.norm() / clips.samples.norm()
    assert 20 * torch.log10(ratio) == pytest.approx(-6, abs=1e-4)


def test_the_louder_half_is_kept(clips: Clips) -> None:
    half = apply("louder half", clips)
    assert half.lengths.tolist() == [4000, 2501]
    first, second = clips.samples[0].split(4000)
    louder = max(first, second, key=lambda part: part.square().sum().item())
    assert torch.equal(half.samples[0], louder)
    assert torch.equal(half.samples[1, :2501], clips.samples[1, 2500:5001])
    assert not half.samples[1, 2501:].any()


def test_stretching_changes_the_length(clips: Clips) -> None:
    assert apply("stretch 0.9", clips).lengths.tolist() == [8889, 5557]
    assert apply("stretch 1.1", clips).lengths.tolist() == [7273, 4546]


def test_a_clip_of_one_sample_survives() -> None:
    one = Clips(torch.ones(1, 1), torch.tensor([1]))
    for name in set(transformations.NAMES) - {"room", "masks"}:
        result = apply(name, one)
        assert result.lengths.tolist() == [1]
        assert torch.isfinite(result.samples).all()
