"""Every event class: alive, bounded in band, seeded; and some move the way their names say."""

import numpy as np
import pytest

from soundviews.scenes.events import events
from soundviews.scenes.synthesis import noise_band, resonators, strike, tone


def make(name: str, seed: int, sample_rate: int = 16000, seconds: float = 2.0) -> np.ndarray:
    return events.get(name)(np.random.default_rng(seed), int(seconds * sample_rate), sample_rate)


def peak_track(sound: np.ndarray, sample_rate: int = 16000) -> np.ndarray:
    """Strongest frequency, Hz, of each 32 ms frame loud enough to have one (NaN elsewhere)."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, 512)[::128] * np.hanning(512)
    power = np.abs(np.fft.rfft(frames, 4096)) ** 2
    track = power.argmax(1) * sample_rate / 4096
    return np.where(power.max(1) > 0.05 * power.max(), track, np.nan)


def test_there_are_at_least_ten_classes():
    assert len(events.names()) >= 10


@pytest.mark.parametrize("name", events.names())
@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100])
def test_every_class_sounds_at_every_rate(name, sample_rate):
    for seed in range(5):
        sound = make(name, seed, sample_rate, seconds=1.3)
        assert sound.shape == (int(1.3 * sample_rate),)
        assert np.isfinite(sound).all()
        assert sound.std() > 0


@pytest.mark.parametrize("name", events.names())
def test_every_class_is_seeded(name):
    np.testing.assert_array_equal(make(name, 1), make(name, 1))
    assert not np.array_equal(make(name, 1), make(name, 2))


@pytest.mark.parametrize(("name", "sign"), [("chirp_up", 1), ("chirp_down", -1)])
def test_chirps_go_their_way(name, sign):
    steps = np.concatenate([np.diff(peak_track(make(name, seed))) for seed in range(8)])
    small = steps[np.abs(steps) < 300]  # a larger step is another call or another partial
    moving = small[small != 0]
    assert np.mean(np.sign(moving) == sign) > 0.75


def test_a_bounce_gets_closer_and_a_tick_does_not(monkeypatch):
    heard = {}

    def listen(times, gains, sound, samples, sample_rate):
        heard["gaps"] = np.diff(times)
        return strike(times, gains, sound, samples, sample_rate)

    monkeypatch.setattr("soundviews.scenes.events.strike", listen)
    make("bounce", 0)
    assert (np.diff(heard["gaps"][:20]) < 0).all()
    make("tick", 0)
    assert heard["gaps"].std() < 0.05 * heard["gaps"].mean()


def test_tone_is_the_sum_of_its_partials():
    """Against a sum of sines whose strengths are read off the spectrum; 250 Hz fits 1 s exactly."""
    sound = tone(np.random.default_rng(0), np.full(16000, 250.0), 16000, partials=12)
    spectrum = np.abs(np.fft.rfft(sound))
    partials = spectrum[250 * np.arange(1, 13)]
    assert (partials > 0).all()
    rest = np.delete(spectrum, 250 * np.arange(1, 13))
    assert rest.max() < 1e-3 * partials.max()


def test_tone_does_not_alias():
    """Partials that would pass Nyquist are left out: all energy lies on multiples of 3 kHz below it."""
    spectrum = np.abs(np.fft.rfft(tone(np.random.default_rng(0), np.full(16000, 3000.0), 16000, partials=12)))
    assert spectrum[[3000, 6000]].sum() > 0.99 * spectrum.sum()


def test_noise_band_keeps_to_its_band():
    power = np.abs(np.fft.rfft(noise_band(np.random.default_rng(0), 16000, 16000, 1000, 2000))) ** 2
    assert power[900:2200].sum() > 0.95 * power.sum()


def test_strike_is_a_sum_of_shifted_copies():
    times, gains, sound = np.array([0.0, 0.01, 0.0205]), np.array([1.0, 0.5, 2.0]), np.arange(1.0, 6.0)
    expected = np.zeros(22)
    for place, gain in zip((0, 10, 20), gains, strict=True):  # 20.5 rounds to even
        for offset, value in enumerate(sound):
            if place + offset < 22:
                expected[place + offset] += gain * value
    np.testing.assert_allclose(strike(times, gains, sound, 22, 1000), expected, atol=1e-9)


def test_resonators_peak_at_the_formants():
    impulse = np.zeros(16000)
    impulse[0] = 1
    response = np.abs(np.fft.rfft(resonators(impulse, np.array([700.0]), np.array([80.0]), 16000)))
    assert abs(response.argmax() - 700) <= 5
    assert response[0] == pytest.approx(1, rel=1e-6)
