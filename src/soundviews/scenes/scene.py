"""One built-in sound scene: labelled events over a background, synthesised.

A scene is a function of (seed, index) alone: any one of them can be made again without the others. Each has its
own microphone and room (a random frequency response and reverberation), background and signal-to-noise ratios.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import fft

from soundviews.core.errors import SoundviewsError
from soundviews.scenes.events import events as event_classes
from soundviews.scenes.synthesis import Array, log_uniform, noise_band, random_band, slow_curve, strike, tone

LOWEST_RATE = 8000  # below it the events no longer fit under Nyquist
FULL_SCALE = 32768
TAPS = 4096  # of the filter that stands for microphone and distance


@dataclass(frozen=True)
class SceneEvent:
    """One event of a scene: its class, start and end in seconds, level over the background in dB."""

    label: str
    start: float
    end: float
    snr: float


@dataclass(frozen=True)
class Scene:
    """A mixture and what it is made of.

    Attributes:
        mixture: float32 (samples,), the sum of the sources; whole multiples of 1/32768, so 16 bit hold it.
        sources: float32 (1 + events, samples): the background, then one row for each event.
        events: What and when, in the order of the sources.
        sample_rate: In Hz.
    """

    mixture: Array
    sources: Array
    events: tuple[SceneEvent, ...]
    sample_rate: int

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted({event.label for event in self.events}))


def make_scene(
    index: int,
    seed: int = 0,
    sample_rate: int = 16000,
    seconds: tuple[float, float] = (4.0, 10.0),
    max_events: int = 3,
    snr: tuple[float, float] = (0.0, 20.0),
) -> Scene:
    """Synthesise scene number `index`.

    Args:
        index: Which scene; every run of as many scenes as there are classes starts with each class once.
        seed: Which collection of scenes.
        sample_rate: Hz, at least 8000. The rate changes the noise but not which events there are, nor when.
        seconds: Shortest and longest length of a scene.
        max_events: 1 to this many events of different classes, as likely each.
        snr: Lowest and highest level of an event over the background while it lasts, dB.

    Raises:
        SoundviewsError: An argument is out of range.
    """
    check_options(sample_rate, seconds, max_events)
    rng = np.random.default_rng([seed, index, 0])
    length = rng.uniform(*seconds)
    samples = round(length * sample_rate)
    plan = _plan(rng, seed, index, length, max_events, snr)

    background = _background(np.random.default_rng([seed, index, 1]), samples, sample_rate)
    dry = [background]
    for number, event in enumerate(plan):
        event_rng = np.random.default_rng([seed, index, 2 + number])
        dry.append(_place(event_rng, event, samples, sample_rate))
    rows = _record(np.random.default_rng([seed, index, 1000]), np.stack(dry), sample_rate)

    for row, event in zip(rows[1:], plan, strict=True):
        span = slice(round(event.start * sample_rate), round(event.end * sample_rate))
        noise, sound = np.mean(rows[0, span] ** 2), np.mean(row[span] ** 2)
        row *= np.sqrt(noise / max(sound, 1e-20)) * 10 ** (event.snr / 20)
    peak = max(np.abs(rows.sum(0)).max(), np.abs(rows).max(), 1e-12)
    rows *= 10 ** (rng.uniform(-20, -1) / 20) / peak
    sources = (np.rint(rows * FULL_SCALE) / FULL_SCALE).astype(np.float32)
    return Scene(sources.sum(0), sources, plan, sample_rate)


def check_options(sample_rate: int, seconds: tuple[float, float], max_events: int) -> None:
    """Raise SoundviewsError for what `make_scene` cannot do."""
    if sample_rate < LOWEST_RATE:
        raise SoundviewsError(f"scenes need a sample rate of at least {LOWEST_RATE} Hz, not {sample_rate}")
    if not 1.0 <= seconds[0] <= seconds[1]:
        raise SoundviewsError(f"scenes last from 1 s upwards, shortest first, not {seconds[0]} to {seconds[1]}")
    if not 1 <= max_events <= len(event_classes.names()):
        raise SoundviewsError(f"max_events must be 1 to {len(event_classes.names())}, not {max_events}")


def _plan(
    rng: Generator, seed: int, index: int, length: float, max_events: int, snr: tuple[float, float]
) -> tuple[SceneEvent, ...]:
    """Classes, times and levels. The first class goes round all of them, so that small corpora are balanced."""
    names = event_classes.names()
    turn, position = divmod(index, len(names))
    first = int(np.random.default_rng([seed, turn, 2**31]).permutation(len(names))[position])
    others = np.setdiff1d(np.arange(len(names)), [first])
    chosen = [first, *rng.permutation(others)[: rng.integers(0, max_events)]]
    planned = []
    for choice in chosen:
        lasts = min(rng.uniform(1.2, 5.0), length)
        start = rng.uniform(0, length - lasts)
        planned.append(SceneEvent(names[choice], start, start + lasts, rng.uniform(*snr)))
    return tuple(planned)


def _place(rng: Generator, event: SceneEvent, samples: int, sample_rate: int) -> Array:
    """The event in silence (samples,), of unit power, faded in and out over 10 ms, tilted at random."""
    start, end = round(event.start * sample_rate), min(round(event.end * sample_rate), samples)
    sound = event_classes.get(event.label)(rng, end - start, sample_rate)
    fade = np.minimum(1, np.arange(1, len(sound) + 1) / (0.01 * sample_rate))
    row = np.zeros(samples)
    row[start:end] = sound * fade * fade[::-1]
    return row / np.sqrt(np.mean(sound**2))


def _background(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Coloured noise that comes and goes, often with a hum, distant tones or a crackle in it, (samples,)."""
    swell = 10 ** (rng.uniform(0, 0.6) * slow_curve(rng, samples, sample_rate, log_uniform(rng, 0.3, 3)))
    sound = swell * _unit(noise_band(rng, samples, sample_rate, 20, 20000, slope=rng.uniform(0, 6)))
    if rng.uniform() < 0.5:
        swell = slow_curve(rng, samples, sample_rate, log_uniform(rng, 0.3, 8))
        sound += rng.uniform(0.2, 1) * swell * _unit(random_band(rng, samples, sample_rate))
    if rng.uniform() < 0.4:
        hum = log_uniform(rng, 45, 1500) * (1 + 0.02 * slow_curve(rng, samples, sample_rate, 1))
        sound += rng.uniform(0.1, 0.7) * _unit(tone(rng, hum, sample_rate))
    if rng.uniform() < 0.4:
        count = 1 + rng.poisson(samples / sample_rate * rng.uniform(1, 20))
        times = rng.uniform(0, samples / sample_rate, count)
        click = random_band(rng, sample_rate // 50, sample_rate) * np.hanning(sample_rate // 50)
        clicks = strike(times, rng.lognormal(0, 1, count), click, samples, sample_rate)
        sound += rng.uniform(0.1, 0.7) * _unit(clicks)
    return sound


def _unit(sound: Array) -> Array:
    return sound / max(float(np.sqrt(np.mean(sound**2))), 1e-12)


def _record(rng: Generator, rows: Array, sample_rate: int) -> Array:
    """Rows (sources, samples) as one microphone in one room hears them: each tilted, all with the same response.

    The response is a random curve over log frequency times a direct sound with an exponentially dying tail.
    """
    samples = rows.shape[1]
    dying, wet = rng.uniform(0.05, 0.6), 10 ** (rng.uniform(-30, 0) / 20)
    tail = rng.standard_normal(int(dying * sample_rate)) * np.exp(
        -6.9 * np.arange(int(dying * sample_rate)) / (dying * sample_rate)
    )
    room = wet * tail / np.sqrt(np.sum(tail**2))
    room[0] = 1.0
    octave = np.log2(np.maximum(fft.rfftfreq(TAPS, 1 / sample_rate), 20.0) / 1000)
    points = np.linspace(-5, 5, 11)
    curve = np.interp(octave, points, rng.normal(0, 5, len(points)))
    tilts = np.r_[0.0, rng.uniform(-3, 3, len(rows) - 1)]
    colours = _causal(curve + tilts[:, None] * np.clip(octave, -3, 3))
    size = fft.next_fast_len(samples + len(room) + TAPS, real=True)
    spectra = fft.rfft(rows.astype(np.float32), size) * fft.rfft(colours.astype(np.float32), size)
    return fft.irfft(spectra * fft.rfft(room.astype(np.float32), size), size)[:, :samples].astype(np.float64)


def _causal(gains: Array) -> Array:
    """Minimum-phase filters (rows, TAPS) with `gains` (rows, TAPS / 2 + 1) in dB, so that no event sounds early.

    The phase that belongs to a gain follows from folding its cepstrum (Oppenheim and Schafer, section 13.4).
    """
    cepstrum = fft.irfft(gains * np.log(10) / 20, TAPS)
    cepstrum[:, 1 : TAPS // 2] *= 2
    cepstrum[:, TAPS // 2 + 1 :] = 0
    return fft.irfft(np.exp(fft.rfft(cepstrum)), TAPS)
