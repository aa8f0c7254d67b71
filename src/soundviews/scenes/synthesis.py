"""Building blocks of the built-in scenes: tones, noise bands, struck objects, slow curves. All vectorised.

Every block takes its own numpy generator and returns float64 (samples,) of no particular level.
"""

import numpy as np
from numpy.random import Generator
from scipy import fft, signal

Array = np.ndarray
TABLE = 4096  # one period of a tone; linear interpolation between its points is 60 dB below the 60th partial


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """One draw whose logarithm is uniform: pitches and rates are perceived as ratios."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def seconds(samples: int, sample_rate: int) -> Array:
    """Time of each sample in seconds, (samples,)."""
    return np.arange(samples) / sample_rate


def slow_curve(rng: Generator, samples: int, sample_rate: int, rate: float) -> Array:
    """Random curve in 0..1 with `rate` turning points a second, (samples,)."""
    points = rng.uniform(size=max(2, int(np.ceil(samples / sample_rate * rate)) + 1))
    return np.interp(np.linspace(0, len(points) - 1, samples), np.arange(len(points)), points)


def smooth(curve: Array, width: int) -> Array:
    """Mean of the last `width` samples along the last axis; the first value is held before the start."""
    width = max(1, width)
    padded = np.pad(curve, [(0, 0)] * (curve.ndim - 1) + [(width, 0)], mode="edge")
    total = np.cumsum(padded, axis=-1)
    return (total[..., width:] - total[..., :-width]) / width


def tone(rng: Generator, frequency: Array, sample_rate: int, partials: int | None = None) -> Array:
    """Harmonic tone of random timbre that follows `frequency`, (samples,) in Hz.

    One period is laid down as a table whose partials stay below Nyquist at the highest frequency, so the cost
    does not depend on how many there are. `partials` limits them; None draws the limit.
    """
    drawn = int(rng.integers(1, 13)) if partials is None else partials
    frequency = np.minimum(frequency, 0.45 * sample_rate)
    count = max(1, min(drawn, int(0.45 * sample_rate / frequency.max())))
    order = np.arange(1, drawn + 1)
    strength = order ** -rng.uniform(0.3, 2.0) * 10 ** (rng.normal(0, 4, drawn) / 20)
    phases = rng.uniform(0, 2 * np.pi, drawn)
    spectrum = np.zeros(TABLE // 2 + 1, complex)
    spectrum[1 : count + 1] = (strength * np.exp(1j * phases))[:count]
    table = fft.irfft(spectrum, TABLE) * TABLE
    position = (np.cumsum(frequency) / sample_rate) % 1.0 * TABLE
    left = position.astype(np.int64) % TABLE
    share = position - np.floor(position)
    return table[left] * (1 - share) + table[(left + 1) % TABLE] * share


def noise_band(rng: Generator, samples: int, sample_rate: int, low: float, high: float, slope: float = 0.0) -> Array:
    """Gaussian noise between `low` and `high` Hz with soft edges, falling by `slope` dB an octave, (samples,)."""
    size = fft.next_fast_len(samples, real=True)
    hertz = np.maximum(fft.rfftfreq(size, 1 / sample_rate), 1.0).astype(np.float32)
    gain = 1 / (1 + (low / hertz) ** 8) / (1 + (hertz / high) ** 8) * (hertz / 1000) ** (-slope / 6.02)
    white = rng.standard_normal((2, len(hertz)), dtype=np.float32)
    return fft.irfft((white[0] + 1j * white[1]) * gain, size)[:samples].astype(np.float64)


def random_band(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Noise band of random centre and width, (samples,)."""
    centre, octaves = log_uniform(rng, 400, 4000), rng.uniform(0.3, 3)
    return noise_band(rng, samples, sample_rate, centre * 2 ** (-octaves / 2), centre * 2 ** (octaves / 2))


def grain(rng: Generator, sample_rate: int, decay: tuple[float, float], noisy: bool = True) -> Array:
    """The sound of one hit: damped modes of a random object and, if `noisy`, a burst of noise.

    `decay` bounds the time constants in seconds; the grain lasts five of the longest.
    """
    modes = int(rng.integers(3, 9))
    base = log_uniform(rng, 200, 1500)
    hertz = np.minimum(base * np.cumsum(np.r_[1.0, rng.uniform(0.15, 1.1, modes - 1)]), 0.45 * sample_rate)
    longest = log_uniform(rng, *decay)
    constants = longest * rng.uniform(0.25, 1, modes)
    weights = rng.uniform(0.1, 1, modes) * hertz ** -rng.uniform(0, 0.7)
    phases = rng.uniform(0, 2 * np.pi, modes)
    time = seconds(max(2, int(5 * longest * sample_rate)), sample_rate)
    ringing = np.exp((2j * np.pi * hertz - 1 / constants)[:, None] * time + 1j * phases[:, None])
    sound = (weights[:, None] * ringing.real).sum(0)
    if noisy:
        burst = random_band(rng, len(time), sample_rate) * np.exp(-time / rng.uniform(0.002, 0.03))
        share = rng.uniform(0, 1)
        sound = (1 - share) * sound / np.abs(sound).max() + share * burst / np.abs(burst).max()
    return sound


def strike(times: Array, gains: Array, sound: Array, samples: int, sample_rate: int) -> Array:
    """`sound` repeated at `times` (hits,) in seconds with `gains` (hits,); hits beyond the end are left out."""
    indices = np.rint(times * sample_rate).astype(np.int64)
    inside = (indices >= 0) & (indices < samples)
    hits = np.bincount(indices[inside], weights=gains[inside], minlength=samples)
    return signal.oaconvolve(hits, sound)[:samples]


def notes(times: Array, values: Array, samples: int, sample_rate: int) -> tuple[Array, Array]:
    """Hold each of `values` (notes,) from its time on; `times` ascend from 0.

    Returns the held values (samples,) and the seconds since each sample's note began (samples,).
    """
    clock = seconds(samples, sample_rate)
    current = np.searchsorted(times, clock, side="right") - 1
    return values[current], clock - times[current]


def resonators(sound: Array, formants: Array, widths: Array, sample_rate: int) -> Array:
    """`sound` (samples,) through two-pole resonances in cascade at `formants` Hz, `widths` Hz wide."""
    radius = np.exp(-np.pi * widths / sample_rate)
    angle = 2 * np.pi * np.minimum(formants, 0.45 * sample_rate) / sample_rate
    sections = np.zeros((len(formants), 6))
    sections[:, 3], sections[:, 4], sections[:, 5] = 1, -2 * radius * np.cos(angle), radius**2
    sections[:, 0] = sections[:, 3:].sum(1)  # gain 1 at 0 Hz, as a vocal tract has
    return signal.sosfilt(sections, sound)
