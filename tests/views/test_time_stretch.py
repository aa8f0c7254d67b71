"""time_stretch against librosa, and against what is known of stretched tones, chirps and clicks."""

import librosa
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.signal import chirp, hilbert

from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.features import Clips, LogMel
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


def one_frame_after_another(clip, rate, window=1024):
    """The same in float64, with one angle for each bin that is carried along."""
    hop, shape = window // 4, np.hanning(window + 1)[:-1]
    size = round(len(clip) / rate)
    count = (size - 1 + window // 2) // hop + 1
    padded = np.concatenate([np.zeros(window // 2), clip.double().numpy(), np.zeros(window * 4)])
    frame = lambda k: np.fft.rfft(padded[k * hop : k * hop + window] * shape)  # noqa: E731
    energy = lambda h: (np.diff(padded[max(0, h * hop - 1) : (h + 1) * hop]) ** 2).sum() if h >= 0 else 0.0  # noqa: E731
    onset = lambda k: energy(k + 3) > 2 * np.mean([energy(k + i) for i in (-1, 0, 1, 2)])  # noqa: E731
    total, weight = np.zeros((2, (count + 4) * hop))
    angle, shown = 0.0, -1
    for t in range(count):
        k = int(t * rate + 0.5)
        if k != shown + 1:
            cross = np.pad(frame(shown + 1) * frame(k).conj(), 1)
            angle = angle + np.angle(0.0 + cross[:-2] + 2 * cross[1:-1] + cross[2:])
        if any(onset(between) for between in range(min(shown + 1, k), k + 1)):
            angle = 0.0
        place = slice(t * hop, t * hop + window)
        total[place] += np.fft.irfft(frame(k) * np.exp(1j * angle)) * shape
        weight[place] += shape**2
        shown = k
    return total[window // 2 :][:size] / weight[window // 2 :][:size]


@pytest.mark.parametrize("rate", [0.5, 0.9, 1.1, 1.7])
def test_equals_a_loop_over_the_frames(rate):
    bursts = noise(samples=RATE)[0] * torch.tensor([1.0, 0.1, 0.3, 1.0, 0.0]).repeat(4).repeat_interleave(800)
    expected = one_frame_after_another(bursts, rate)
    np.testing.assert_allclose(stretched(bursts.double(), rate).numpy(), expected, atol=1e-9)
    np.testing.assert_allclose(stretched(bursts, rate).numpy(), expected, atol=1e-3)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency", [50.0, 440.0, 1234.5, 5000.0])
def test_ten_seconds_of_a_tone_keep_frequency_and_level(rate, frequency):
    """Frequency within 0.01 % (the slope of the phase), level within 1 % everywhere."""
    clip = (0.5 * torch.sin(2 * torch.pi * frequency * time(10))).float()
    result = stretched(clip, rate).double().numpy()
    assert len(result) == round(len(clip) / rate)
    analytic = hilbert(result)[4000:-4000]
    slope, _ = np.polyfit(np.arange(len(analytic)), np.unwrap(np.angle(analytic)), 1)
    assert slope * RATE / (2 * np.pi) == pytest.approx(frequency, rel=1e-4)
    np.testing.assert_allclose(np.abs(analytic), 0.5, rtol=0.01)


@pytest.mark.parametrize("rate", RATES)
def test_a_chirp_takes_its_time(rate):
    """Its instantaneous frequency lies within 3 Hz of the scaled track for half, within 10 Hz for nine tenths of it;
    a hop of 16 ms is 6 Hz of it."""
    clip = torch.from_numpy(chirp(time(5).numpy(), 200, 5, 2100)).float()
    phase = np.unwrap(np.angle(hilbert(stretched(clip, rate).double().numpy())))
    now = (np.arange(len(phase) - 1) + 0.5) * rate / RATE
    error = np.abs(np.diff(phase) * RATE / (2 * np.pi) - (200 + 380 * now))[4000:-4000]
    assert np.median(error) < 3
    assert np.quantile(error, 0.9) < 10


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("floor", [0.0, 0.001])
def test_clicks_come_at_the_new_tempo_and_stay_clicks(rate, floor):
    """Each within a hop (16 ms) of its place, with 90 % of its energy within 3 ms (librosa: 20 % above a faint noise),
    and at least half as high, where the frame that shows it best is left out."""
    places = (0.2 + 0.31 * np.arange(15)) * RATE
    clip = floor * np.random.default_rng(0).standard_normal(5 * RATE)
    decay = np.exp(-np.arange(32) / 8) * np.cos(np.arange(32))
    for place in places.astype(int):
        clip[place : place + 32] += decay
    result = stretched(clip.astype(np.float32), rate).double().numpy()
    found = []
    for place in places / rate:
        near = slice(int(place) - 1600, int(place) + 1600)
        found.append(near.start + np.abs(result[near]).argmax())
        assert np.square(result[found[-1] - 48 : found[-1] + 48]).sum() > 0.9 * np.square(result[near]).sum()
    np.testing.assert_allclose(found, places / rate, atol=256)
    assert (np.abs(result[found]) > 0.5).all()
    assert np.polyfit(places, found, 1)[0] == pytest.approx(1 / rate, rel=0.002)


@pytest.mark.parametrize("rate", RATES)
def test_nearer_to_the_original_than_librosa(rate):
    """The log-mel of noise in bursts, of a voice that trembles, against their own log-mel at other times."""
    swing = 2 * torch.pi * torch.cumsum(120 * (1 + 0.03 * torch.sin(2 * torch.pi * 5 * time(3))), 0) / RATE
    voice = sum(torch.cos(k * swing) / k for k in range(1, 30)).float() * 0.1
    bursts = noise(samples=3 * RATE)[0] * (0.05 + (torch.sin(2 * torch.pi * 3 * time(3)) > 0).float())
    log_mel = LogMel(RATE)
    for clip in (voice, bursts):
        expected = log_mel(clip[None])
        expected = F.interpolate(expected.mT, size=log_mel.frames(round(len(clip) / rate)), mode="linear").mT
        peer = librosa.effects.time_stretch(clip.numpy(), rate=rate, n_fft=1024, hop_length=256)
        ours, theirs = (
            (log_mel(torch.as_tensor(y)[None]) - expected).abs().mean() for y in (stretched(clip, rate), peer)
        )
        assert ours < 0.95 * theirs


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
