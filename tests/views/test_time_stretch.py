"""time_stretch against librosa, and against what is known of stretched tones, chirps and clicks."""

import librosa
import numpy as np
import pytest
import torch
from scipy.signal import hilbert

from soundviews.errors import SoundviewsError
from soundviews.features import Clips
from soundviews.randomness import Randomness
from soundviews.views import views
from soundviews.views.time_stretch import stretch

RATE = 16000
RATES = [0.9, 1.1]


def noise(rows=1, samples=2 * RATE, seed=0):
    return torch.randn(rows, samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def stretched(clip, rate, **options):
    """One clip (samples,), alone."""
    clip = torch.as_tensor(clip)
    result = stretch(clip[None], torch.tensor([len(clip)]), torch.tensor([rate], dtype=torch.float64), **options)
    return result.samples[0, : int(result.lengths[0])]


def time(seconds):
    return torch.arange(round(seconds * RATE), dtype=torch.float64) / RATE


@pytest.mark.parametrize("rate", [0.5, 0.9, 1.1, 1.7])
def test_equals_librosa(rate):
    """But for the last window, where librosa has no frames that reach beyond the end."""
    clip = noise(samples=RATE)[0]
    expected = librosa.effects.time_stretch(clip.double().numpy(), rate=rate, n_fft=1024, hop_length=256)
    result = stretched(clip.double(), rate).numpy()
    assert len(result) == len(expected)
    np.testing.assert_allclose(result[:-1024], expected[:-1024], atol=1e-6)
    np.testing.assert_allclose(stretched(clip, rate).numpy()[:-1024], expected[:-1024], atol=2e-3)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency", [110.0, 440.0, 1234.5, 5000.0])
def test_ten_seconds_of_a_tone_keep_frequency_and_level(rate, frequency):
    """Frequency within 0.01 % (of the phase's slope), level within 10 %."""
    clip = (0.5 * torch.sin(2 * torch.pi * frequency * time(10))).float()
    result = stretched(clip, rate).double().numpy()
    assert len(result) == round(len(clip) / rate)
    analytic = hilbert(result)[4000:-4000]
    phase = np.unwrap(np.angle(analytic))
    slope, _ = np.polyfit(np.arange(len(phase)), phase, 1)
    assert slope * RATE / (2 * np.pi) == pytest.approx(frequency, rel=1e-4)
    assert np.abs(analytic).mean() == pytest.approx(0.5, rel=0.1)


def test_rows_do_not_know_of_each_other():
    lengths = torch.tensor([RATE, 20_001, 3000, 700, 100, 1])
    samples = noise(6, 20_001) * (torch.arange(20_001) < lengths[:, None])
    rates = torch.tensor([0.9, 1.1, 0.9, 1.1, 0.9, 1.0], dtype=torch.float64)
    result = stretch(samples, lengths, rates)
    assert result.lengths.tolist() == [round(n / r) for n, r in zip(lengths.tolist(), rates.tolist(), strict=True)]
    assert result.samples.shape == (6, int(result.lengths.max()))
    for row, (length, rate) in enumerate(zip(lengths.tolist(), rates.tolist(), strict=True)):
        alone = stretched(samples[row, :length], rate)
        torch.testing.assert_close(result.samples[row, : len(alone)], alone, atol=1e-4, rtol=0)
        assert not result.samples[row, len(alone) :].any()


def test_silence_stays_silent_and_rate_one_changes_nothing():
    samples = noise(4)
    samples[1] = 0
    samples[2, 8000:16000] = 0
    rates = torch.tensor([1.0, 0.9, 1.1, 1.0], dtype=torch.float64)
    result = stretch(samples, torch.full((4,), 2 * RATE), rates).samples
    assert torch.isfinite(result).all()
    assert not result[1].any()
    assert not result[2, round(9100 / 1.1) : round(14900 / 1.1)].any()
    assert torch.equal(result[[0, 3], : 2 * RATE], samples[[0, 3]])


def test_the_view_draws_for_each_clip():
    view = views.create("time_stretch", {}, sample_rate=RATE)
    clips = Clips(noise(400, 2000), torch.full((400,), 2000))
    result = view(clips, Randomness(0))
    counts = {length: int((result.lengths == length).sum()) for length in (2000, 2222, 1818)}
    assert sum(counts.values()) == 400
    assert counts[2000] == pytest.approx(200, abs=40)
    assert counts[2222] == pytest.approx(100, abs=35)
    same = result.lengths == 2000
    assert torch.equal(result.samples[same, :2000], clips.samples[same])


@pytest.mark.parametrize("options", [{"probability": 1.5}, {"rates": []}, {"rates": [0.9, 0.0]}])
def test_bad_options(options):
    with pytest.raises(SoundviewsError, match="time_stretch"):
        views.create("time_stretch", options, sample_rate=RATE)
