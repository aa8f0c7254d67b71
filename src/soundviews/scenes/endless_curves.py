"""What the layers of endless sound share: curves over time and frequency, events, noise. Batched over rows.

Curves over time are drawn at 400 Hz and interpolated, curves over frequency at 513 points: both are cheap, and neither
an envelope nor a filter needs more.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from soundviews.scenes.endless_numbers import Dials

RATE, SAMPLES = 16000, 25600  # Hz, and 1.6 s
HOP = 40  # samples from point to point of a curve over time
TIMES = SAMPLES // HOP + 1
FFT = 27648  # 2^10 3^3; what rings beyond it comes back at the beginning, as if it had sounded before
POINTS = 513  # of a curve over frequency, from 0 to 8000 Hz
FINE = FFT // 2 // (POINTS - 1)  # bins from point to point
EVENTS, BEFORE = 40, 4  # how many a layer may have, and how many of them before the clip begins
DRAWS = 3 * EVENTS + 8  # numbers that a rendering draws for a layer: times, gains and pitches of its events, and phases
_STRIP = 1 << 21


@lru_cache
def noise_strip() -> Tensor:
    """Gaussian noise of unit power, of which every use takes a stretch of its own: (2^21,)."""
    return torch.randn(_STRIP, generator=torch.Generator().manual_seed(1))


@lru_cache
def uniform_strip() -> Tensor:
    """As `noise_strip`, uniform on [0, 1)."""
    return torch.rand(_STRIP, generator=torch.Generator().manual_seed(2))


def stretches(strip: Tensor, draws: Tensor, size: int) -> Tensor:
    """(rows, size) of a strip, from where `draws` (rows,) in [0, 1) say."""
    starts = (draws.double() * (_STRIP - size)).long().tolist()
    return torch.stack([strip[start : start + size] for start in starts])


def noise(draws: Tensor, size: int = SAMPLES) -> Tensor:
    """(rows, size) of Gaussian noise."""
    return stretches(noise_strip(), draws, size)


@lru_cache
def seconds() -> Tensor:
    """(TIMES,) when the points of a curve over time are."""
    return torch.arange(TIMES) * (HOP / RATE)


@lru_cache
def octaves() -> Tensor:
    """(POINTS,) octaves above 1 kHz of the points of a curve over frequency."""
    return (torch.linspace(0, RATE / 2, POINTS).clamp(min=20) / 1000).log2()


def over_time(curve: Tensor) -> Tensor:
    """A curve (rows, TIMES) at every sample, (rows, SAMPLES)."""
    return _filled(curve, HOP)


def over_bins(curve: Tensor) -> Tensor:
    """A curve (rows, POINTS) at every bin of the transform, (rows, FFT / 2 + 1)."""
    return torch.cat([_filled(curve, FINE), curve[:, -1:]], dim=1)


def _filled(curve: Tensor, hop: int) -> Tensor:
    """Straight lines between the points of (rows, points), (rows, (points - 1) hop)."""
    share = torch.arange(hop) / hop
    return torch.addcmul(curve[:, :-1, None], curve.diff(dim=1)[:, :, None], share).flatten(1)


def sine(rate: Tensor, phase: Tensor) -> Tensor:
    """sin(2 pi (rate t + phase)) (rows, TIMES); both (rows, 1), in Hz and turns."""
    return torch.sin(2 * math.pi * (rate * seconds() + phase))


class Events(NamedTuple):
    """When things happen in a layer.

    times, gains: (rows, EVENTS), seconds and factors. since: (rows, EVENTS, TIMES), seconds since each event.
    """

    times: Tensor
    gains: Tensor
    since: Tensor

    @property
    def current(self) -> Tensor:
        """(rows, TIMES) int64: the last event that has begun."""
        return ((self.since >= 0).sum(1) - 1).clamp(min=0)

    def age(self) -> Tensor:
        """(rows, TIMES) seconds since the last event that has begun."""
        return seconds() - self.times.gather(1, self.current)


def draw_events(dials: Dials, draws: Tensor, slowest: float, fastest: float) -> Events:
    """Events at a rate between slowest and fastest, a second; the layer's numbers say how regular they are."""
    number = torch.arange(EVENTS) - BEFORE
    shifts, loudness = draws[:, :EVENTS], draws[:, EVENTS : 2 * EVENTS]
    begun = draws[:, 3 * EVENTS : 3 * EVENTS + 1]
    times = (number + begun + dials["time_jitter"] * (shifts - 0.5)) / dials.ratio("rate", slowest, fastest)
    rank = loudness * 7 % 1  # a second number out of the first: which events are left out does not go with the gain
    gains = 10 ** (-1.2 * dials["gain_spread"] * loudness) * (rank >= 0.6 * dials["left_out"])
    return Events(times, gains, seconds() - times[:, :, None])


def envelope(dials: Dials, events: Events, draws: Tensor) -> Tensor:
    """How loud a layer is, (rows, TIMES): its events, held or not, with tremolo, swell, beginning and end."""
    phases, clock = draws[:, 3 * EVENTS :], seconds()
    attack, decay = dials.ratio("attack", 0.002, 0.2)[:, :, None], dials.ratio("decay", 0.02, 1.5)[:, :, None]
    rise = (events.since / attack).clamp_(0, 1)
    curve = rise.mul_(torch.exp((events.since - attack).clamp_(min=0).div_(-decay)))
    curve = (curve * events.gains[:, :, None]).amax(1)
    curve = curve.lerp(torch.ones(()), dials.above("sustain", 0.5))
    tremolo = 0.5 + 0.5 * sine(dials.ratio("am_rate", 2, 60), phases[:, 1:2])
    curve = curve * (1 - dials.above("am_depth", 0.5) * tremolo)
    swell = 0.5 + 0.5 * sine(dials.ratio("swell_rate", 0.2, 3), phases[:, 2:3])
    curve = curve * 10 ** (-1.5 * dials.above("swell_depth", 0.3) * swell)
    curve = curve * torch.exp(0.8 * dials.above("flutter", 0.4) * noise(phases[:, 3], TIMES))
    begin, finish = dials.above("begin", 0.7), 1.6 - dials.above("finish", 0.7)
    return curve * ((clock - begin) / 0.02).clamp(0, 1) * ((finish - clock) / 0.05).clamp(0, 1)


def peaks(centres: Tensor, widths: Tensor, heights: Tensor) -> Tensor:
    """Bumps over frequency, (rows, POINTS): all (rows, bumps), in octaves above 1 kHz, octaves, and dB or factors."""
    return (heights[:, :, None] * torch.exp(-(((octaves() - centres[:, :, None]) / widths[:, :, None]) ** 2))).sum(1)


def filters(dials: Dials, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """The gains of a layer at two moments, (rows, POINTS) each: six random peaks that move, tilt, and two edges."""
    place, strength, motion = vectors[:, :6], vectors[:, 6:12], vectors[:, 12:18]
    width = dials.ratio("peak_width", 0.05, 1.0).expand(-1, 6)
    heights = 30 * dials["peak_gain"] * (strength - 0.3)
    low = dials.linear("low_edge", -4, 14)  # log2 of Hz / 62: half of the layers have none within hearing
    high = dials.linear("high_edge", -1.5, 6)
    edges = -10 * torch.log2(1 + 2 ** (4 * (low - 7 - octaves()))) - 10 * torch.log2(1 + 2 ** (4 * (octaves() - high)))
    result = []
    for moved, tilt in ((0.0, dials["tilt"]), (1.0, dials["tilt_later"])):
        centres = -3.3 + 6.2 * place + moved * 4 * dials["filter_motion"] * (motion - 0.5)
        tilt = dials["tilt"].lerp(tilt, dials["filter_motion"])
        curve = peaks(centres, width, heights) + (15 * tilt - 9) * octaves().clamp(-3, 3) + edges
        result.append(10 ** (curve.clamp(-90, 60) / 20))
    return result[0], result[1]
