"""The classes of the built-in scenes.

Classes differ in how a sound moves, not in where its energy lies: all struck sounds share one family of
timbres, all tones another, all noises a third, and pitch, rate, tilt and duration vary widely inside each class.
An event is a function (rng, samples, sample_rate) -> float64 (samples,) of no particular level.
"""

import numpy as np
from numpy.random import Generator

from soundviews.core.registry import Registry
from soundviews.scenes.synthesis import (
    Array,
    grain,
    log_uniform,
    noise_band,
    notes,
    random_band,
    resonators,
    seconds,
    slow_curve,
    smooth,
    strike,
    tone,
)

events = Registry("event")


def _regular(rng: Generator, length: float, period: float, jitter: float = 0.0) -> Array:
    """Times from 0 to `length` seconds every `period`, each moved by up to `jitter` periods (the first is not)."""
    times = np.arange(0, length, period)
    times[1:] += rng.uniform(-jitter, jitter, len(times) - 1) * period
    return times


# Struck: one family of timbres, four kinds of timing.


@events.register("tick")
def tick(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Hits at a steady rate, every second one possibly weaker."""
    times = _regular(rng, samples / sample_rate, log_uniform(rng, 0.1, 0.6), 0.01)
    gains = np.where(np.arange(len(times)) % 2, rng.uniform(0.4, 1), 1.0)
    return strike(times, gains, grain(rng, sample_rate, (0.01, 0.1)), samples, sample_rate)


@events.register("knock")
def knock(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Groups of two to five quick hits with pauses between the groups."""
    length, inside = samples / sample_rate, log_uniform(rng, 0.07, 0.2)
    starts = _regular(rng, length, rng.uniform(0.8, 1.8), 0.15)
    hits = np.arange(rng.integers(2, 6)) * inside
    times = (starts[:, None] + hits).ravel()
    times = times + rng.normal(0, 0.05 * inside, len(times)).clip(0)
    gains = rng.uniform(0.5, 1, len(times))
    return strike(times, gains, grain(rng, sample_rate, (0.01, 0.1)), samples, sample_rate)


@events.register("bounce")
def bounce(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Something dropped: hits ever closer and weaker, dropped again when at rest."""
    length, first, ratio = samples / sample_rate, rng.uniform(0.25, 0.6), rng.uniform(0.72, 0.9)
    fall = np.r_[0.0, np.cumsum(first * ratio ** np.arange(25))]
    drops = np.arange(0, length, fall[-1] + rng.uniform(0.2, 0.8))
    times = (drops[:, None] + fall).ravel()
    gains = np.tile(ratio ** (np.arange(26) * rng.uniform(0.7, 1.5)), len(drops))
    return strike(times, gains, grain(rng, sample_rate, (0.01, 0.1)), samples, sample_rate)


@events.register("rain")
def rain(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Drops or crackle: hits at random times, of a few timbres, from faint to loud."""
    length, rate = samples / sample_rate, log_uniform(rng, 8, 60)
    sound = np.zeros(samples)
    for _ in range(3):
        count = 1 + rng.poisson(rate * length / 3)
        times, gains = rng.uniform(0, length * 0.98, count), rng.lognormal(0, 0.8, count)
        sound += strike(times, gains, grain(rng, sample_rate, (0.005, 0.05)), samples, sample_rate)
    return sound


@events.register("bell")
def bell(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Inharmonic partials that ring for a long time, struck at most a few times a second."""
    times = _regular(rng, samples / sample_rate, rng.uniform(0.5, 2.0), 0.2)
    gains = rng.uniform(0.4, 1, len(times))
    return strike(times, gains, grain(rng, sample_rate, (0.2, 0.8), noisy=False), samples, sample_rate)


# Noises: one family of bands, three kinds of movement.


@events.register("gust")
def gust(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Wind or waves: two bands that swell slowly and each by itself."""
    sound = np.zeros(samples)
    for _ in range(2):
        swell = slow_curve(rng, samples, sample_rate, rng.uniform(0.7, 1.5)) ** 2 + 0.02
        sound += swell * random_band(rng, samples, sample_rate)
    return sound


@events.register("saw")
def saw(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Strokes to and fro: a band that swells evenly, every second stroke in another colour."""
    rate = log_uniform(rng, 1.5, 6)
    strokes = seconds(samples, sample_rate) * rate * (1 + 0.1 * slow_curve(rng, samples, sample_rate, 1))
    swell = np.sin(np.pi * (strokes % 1.0)) ** rng.uniform(0.5, 2)
    forth, back = random_band(rng, samples, sample_rate), random_band(rng, samples, sample_rate)
    return swell * np.where(strokes.astype(np.int64) % 2, back * rng.uniform(0.3, 1), forth)


@events.register("rattle")
def rattle(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Noise broken up 12 to 40 times a second, in bursts."""
    rate = log_uniform(rng, 12, 40) * (0.85 + 0.3 * slow_curve(rng, samples, sample_rate, 2))
    beats = np.maximum(0, np.sin(2 * np.pi * np.cumsum(rate) / sample_rate)) ** rng.uniform(1, 3)
    bursts = seconds(samples, sample_rate) % rng.uniform(0.4, 1.2) < rng.uniform(0.2, 0.4)
    return beats * np.where(bursts, 1.0, 0.03) * random_band(rng, samples, sample_rate)


# Tones: one family of timbres, seven kinds of movement.


@events.register("chirp_up")
def chirp_up(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Calls that rise by half an octave to two octaves."""
    call, base = rng.uniform(0.12, 0.5), log_uniform(rng, 250, 1500)
    starts = np.arange(0, samples / sample_rate, call + rng.uniform(0.05, 0.5))
    pitches, since = notes(starts, base * 2 ** rng.uniform(-0.15, 0.15, len(starts)), samples, sample_rate)
    share = np.minimum(since / call, 1)
    rise = rng.uniform(0.5, 2) * share ** rng.uniform(0.7, 1.4)
    return np.sin(np.pi * share) ** 0.7 * tone(rng, pitches * 2**rise, sample_rate)


@events.register("chirp_down")
def chirp_down(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Calls that fall: `chirp_up` backwards, so that no average over time tells the two apart."""
    return chirp_up(rng, samples, sample_rate)[::-1]


@events.register("trill")
def trill(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Two pitches in quick alternation."""
    length, base = samples / sample_rate, log_uniform(rng, 250, 2500)
    times = _regular(rng, length, 0.5 / log_uniform(rng, 4, 14))
    other = 2 ** rng.uniform(0.15, 0.9)
    pitches, since = notes(times, base * np.where(np.arange(len(times)) % 2, other, 1.0), samples, sample_rate)
    return np.minimum(since / 0.005, 1) * tone(rng, pitches, sample_rate)


@events.register("siren")
def siren(rng: Generator, samples: int, sample_rate: int) -> Array:
    """A pitch that swings slowly up and down."""
    rate, octaves, base = log_uniform(rng, 0.3, 1.5), rng.uniform(0.3, 0.9), log_uniform(rng, 350, 1800)
    swing = np.sin(2 * np.pi * (rate * seconds(samples, sample_rate) + rng.uniform()))
    return tone(rng, base * 2 ** (octaves * swing), sample_rate)


@events.register("whistle")
def whistle(rng: Generator, samples: int, sample_rate: int) -> Array:
    """A melody of held notes with glides between them and a vibrato."""
    length, hold = samples / sample_rate, rng.uniform(0.2, 0.6)
    times = _regular(rng, length, hold, 0.2)
    steps = np.cumsum(rng.choice([-5, -4, -2, 2, 3, 5, 7], len(times))) % 14
    octaves, _ = notes(times, steps / 12.0, samples, sample_rate)
    octaves = smooth(octaves, int(0.05 * sample_rate))
    vibrato = rng.uniform(0.005, 0.04) * np.sin(2 * np.pi * rng.uniform(4, 8) * seconds(samples, sample_rate))
    breath = 0.6 + 0.4 * slow_curve(rng, samples, sample_rate, 3)
    return breath * tone(rng, log_uniform(rng, 250, 1800) * 2 ** (octaves + vibrato), sample_rate)


@events.register("pluck")
def pluck(rng: Generator, samples: int, sample_rate: int) -> Array:
    """A melody of strings: each note starts at once and dies away."""
    length, period = samples / sample_rate, rng.uniform(0.15, 0.6)
    times = _regular(rng, length, period, 0.1)
    steps = rng.choice([0, 2, 4, 7, 9, 12], len(times))
    pitches, since = notes(times, log_uniform(rng, 200, 1500) * 2 ** (steps / 12), samples, sample_rate)
    decay = np.exp(-since / rng.uniform(0.05, 0.3)) * np.minimum(since / 0.003, 1)
    return decay * tone(rng, pitches, sample_rate)


@events.register("voice")
def voice(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Syllables: a buzzing or whispering source through a vocal tract that moves between vowels."""
    length, base = samples / sample_rate, log_uniform(rng, 90, 350)
    size = rng.uniform(0.85, 1.25)  # a shorter tract has higher formants
    vowels = size * np.array([[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480]])
    times = _regular(rng, length, rng.uniform(0.14, 0.35), 0.25)
    which, since = notes(times, rng.integers(0, len(vowels), len(times)), samples, sample_rate)
    pitch = base * 2 ** (0.5 * slow_curve(rng, samples, sample_rate, 4) - 0.15 * since)
    breath = noise_band(rng, samples, sample_rate, 500, 7000)
    buzz = tone(rng, pitch, sample_rate, partials=40)
    source = buzz / buzz.std() + log_uniform(rng, 0.03, 1.0) * breath / breath.std()
    widths = np.array([80.0, 100.0, 150.0])
    spoken = np.stack([resonators(source, vowel, widths, sample_rate) for vowel in vowels])
    shares = smooth((which == np.arange(len(vowels))[:, None]).astype(np.float64), int(0.04 * sample_rate))
    syllables = np.minimum(since / 0.02, 1) * np.exp(-((since / rng.uniform(0.12, 0.25)) ** 4))
    return syllables * (shares * spoken).sum(0)


@events.register("engine")
def engine(rng: Generator, samples: int, sample_rate: int) -> Array:
    """Uneven firing strokes at 15 to 80 a second, revving slowly, with the noise of the exhaust."""
    cycle = log_uniform(rng, 4, 20) * 2 ** (rng.uniform(0.1, 1.2) * slow_curve(rng, samples, sample_rate, 1))
    phase = np.cumsum(cycle) / sample_rate
    strokes = np.exp(-((phase * 4) % 1.0) * rng.uniform(3, 10))
    strokes *= rng.uniform(0.5, 1, 4)[(phase * 4).astype(np.int64) % 4]
    body, exhaust = tone(rng, cycle * 8, sample_rate, partials=60), random_band(rng, samples, sample_rate)
    return strokes * (body / body.std() + log_uniform(rng, 0.2, 2) * exhaust / exhaust.std())
