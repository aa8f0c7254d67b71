"""The five kinds of layers of endless sound: numbers in, spectra out. Batched over layers of one kind."""

import math

import torch
from torch import Tensor

from soundviews.scenes.endless_curves import (
    DRAWS,
    EVENTS,
    FFT,
    RATE,
    SAMPLES,
    Events,
    draw_events,
    envelope,
    filters,
    noise,
    over_bins,
    over_time,
    peaks,
    sine,
    stretches,
    uniform_strip,
)
from soundviews.scenes.endless_numbers import COMMON, KINDS, OF_KIND, Dials

TABLE = 2048  # samples of one period, for up to 512 harmonics
HIGHEST = 0.45 * RATE  # Hz, of a harmonic or a mode
MODES, BLOCK = 12, 128


def render_layers(kind: int, numbers: Tensor, vectors: Tensor, draws: Tensor) -> Tensor:
    """Spectra (layers, FFT / 2 + 1), of unit energy each, of layers of one kind.

    Args:
        kind: Its position in KINDS.
        numbers: (layers, NUMBERS), vectors: (layers, 64): as in `Numbers`.
        draws: (layers, DRAWS) in [0, 1), what a rendering draws afresh: when events happen, phases, noise.
    """
    dials = Dials(numbers, (*COMMON, *OF_KIND[KINDS[kind]]))
    assert draws.shape[1] == DRAWS
    spectra: Tensor = _RENDER[KINDS[kind]](dials, vectors, draws)
    energy = torch.view_as_real(spectra).square().sum((1, 2)).clamp(min=1e-12)
    return spectra / energy.sqrt()[:, None]


def tonal(dials: Dials, vectors: Tensor, draws: Tensor) -> Tensor:
    """Harmonic tones: whistles, horns, strings, engines, beeps."""
    events = draw_events(dials, draws, 0.6, 20)
    sound = _harmonics(dials, vectors, draws, events, dials.ratio("pitch", 40, 4000), fm=True)
    sound = sound + 2 * dials.above("breath", 0.4) ** 2 * noise(draws[:, -1])
    motion = 0.5 + 0.5 * sine(dials.ratio("swell_rate", 0.4, 6), draws[:, -2:-1])
    return _cross_faded(sound, envelope(dials, events, draws), motion, filters(dials, vectors))


def vocal(dials: Dials, vectors: Tensor, draws: Tensor) -> Tensor:
    """Harmonic tones through four formants that move with every event: voices, calls, barks."""
    events = draw_events(dials, draws, 0.8, 7)
    sound = _harmonics(dials, vectors, draws, events, dials.ratio("pitch", 60, 1200), fm=False)
    sound = sound + 2 * dials.above("breath", 0.3) ** 2 * noise(draws[:, -1])
    motion = (events.age() * dials.ratio("rate", 0.8, 7)).clamp(0, 1)
    moments = [_formants(dials, vectors, opening, fronting) for opening, fronting in
               (("opening", "fronting"), ("opening_later", "fronting_later"))]  # fmt: skip
    return _cross_faded(sound, envelope(dials, events, draws), motion, (moments[0], moments[1]))


def noisy(dials: Dials, vectors: Tensor, draws: Tensor) -> Tensor:
    """Filtered noise: wind, water, breath, brushes, engines."""
    events = draw_events(dials, draws, 0.6, 20)
    curve = envelope(dials, events, draws)
    steps = (torch.arange(curve.shape[1]) * dials.ratio("gust_rate", 0.005, 0.5)).long()
    gusts = noise(draws[:, -3], int(steps.max()) + 1).gather(1, steps)
    curve = curve * torch.exp(1.5 * dials.above("gust_depth", 0.4) * gusts)
    motion = 0.5 + 0.5 * sine(dials.ratio("swell_rate", 0.4, 6), draws[:, -2:-1])
    return _cross_faded(noise(draws[:, -1]), curve, motion, filters(dials, vectors))


def modal(dials: Dials, vectors: Tensor, draws: Tensor) -> Tensor:
    """Things that are struck or rubbed and ring: bells, wood, glass, doors, steps."""
    events = draw_events(dials, draws, 1.3, 20)
    index = (events.times * RATE).long()
    inside = (index >= 0) & (index < SAMPLES)
    hits = torch.zeros(len(draws), SAMPLES).scatter_add_(1, index.clamp(0, SAMPLES - 1), events.gains * inside)
    rubbed = 0.05 * dials.above("rub", 0.5) * over_time(envelope(dials, events, draws))
    hits = hits.addcmul_(rubbed, noise(draws[:, -1]))
    ring = _modes(dials, vectors, draws, lowest=(60, 3000), ringing=(0.01, 1.5))
    return _spectrum(hits) * _spectrum(ring) * over_bins(filters(dials, vectors)[0])


def granular(dials: Dials, vectors: Tensor, draws: Tensor) -> Tensor:
    """Many short grains at random: rain, fire, crackling, gravel, insects."""
    events = draw_events(dials, draws, 0.6, 20)
    curve = envelope(dials, events, draws).clamp(min=1e-3) ** dials.linear("burst", 0, 2)
    chance = over_time((dials.ratio("density", 6, 4000) / RATE) * curve)
    lot = stretches(uniform_strip(), draws[:, -1], SAMPLES)
    gains = (lot / chance).add_(0.02).log_().mul_(-dials["heaviness"]).exp_()  # several times faster than a power
    ring = _modes(dials, vectors, draws, lowest=(150, 5000), ringing=(0.0003, 0.03))
    return _spectrum(gains * (lot < chance)) * _spectrum(ring) * over_bins(filters(dials, vectors)[0])


_RENDER = {"tonal": tonal, "vocal": vocal, "noise": noisy, "modal": modal, "granular": granular}


def _spectrum(sound: Tensor) -> Tensor:
    return torch.fft.rfft(sound, FFT)


def _cross_faded(sound: Tensor, loudness: Tensor, motion: Tensor, gains: tuple[Tensor, Tensor]) -> Tensor:
    """The spectrum of a sound (rows, SAMPLES) that goes from one filter to the other as `motion` (rows, TIMES) says."""
    first = _spectrum(sound * over_time(loudness * (1 - motion))) * over_bins(gains[0])
    return first.add_(_spectrum(sound * over_time(loudness * motion)) * over_bins(gains[1]))


def _harmonics(dials: Dials, vectors: Tensor, draws: Tensor, events: Events, pitch: Tensor, fm: bool) -> Tensor:
    """A tone (rows, SAMPLES) that follows the pitch of the events, read out of one period of its waveform."""
    hertz = _pitch_curve(dials, draws, events, pitch)
    table = _period(dials, vectors, draws, hertz.amax(1, keepdim=True))
    phase = over_time(hertz).double().cumsum(1).div_(RATE)
    if fm:
        ratio = torch.where(
            dials["fm_ratio"] < 0.5, (1 + 8 * dials["fm_ratio"]).floor(), dials.ratio("fm_ratio", 0.1, 8)
        )
        wave = torch.sin((phase * ratio % 1).float() * (2 * math.pi))
        phase = phase + (0.6 * dials.above("fm_depth", 0.6) ** 2) * wave
    position = ((phase % 1).float() * TABLE).clamp_(max=TABLE - 1e-3)
    left = position.long()
    values = table.gather(1, left)
    return values.lerp(table.gather(1, left + 1), position - left)


def _pitch_curve(dials: Dials, draws: Tensor, events: Events, pitch: Tensor) -> Tensor:
    """Hz (rows, TIMES): each event at its own pitch, with glide, arch, vibrato and jitter."""
    own = (draws[:, 2 * EVENTS : 3 * EVENTS] - 0.5).gather(1, events.current)
    through = (events.age() * 2).clamp(0, 1)
    glide, arch = (2 * dials["glide"] - 1) ** 3, (2 * dials["arch"] - 1) ** 3
    octaves = 2.4 * dials.above("pitch_spread", 0.3) * own + 1.5 * glide * (through - 0.5)
    octaves = octaves + arch * 4 * through * (1 - through)
    octaves = octaves + 0.12 * dials.above("vibrato_depth", 0.4) * sine(
        dials.ratio("vibrato_rate", 3, 30), draws[:, -4:-3]
    )
    octaves = octaves + 0.15 * dials.above("pitch_jitter", 0.4) ** 2 * noise(draws[:, -5], octaves.shape[1])
    return (pitch * 2**octaves).clamp(20, HIGHEST)


def _period(dials: Dials, vectors: Tensor, draws: Tensor, highest: Tensor) -> Tensor:
    """One period of a tone (rows, TABLE + 1) whose harmonics stay below Nyquist at its `highest` pitch (rows, 1)."""
    order = torch.arange(1, TABLE // 2 + 1)
    strength = order ** -dials.linear("slope", 0, 2.5) / (1 + (order / dials.ratio("harmonics", 1, 512)) ** 8)
    strength = strength * 10 ** (2 * dials["roughness"] * (vectors[:, (order - 1) % vectors.shape[1]] - 0.5))
    even = 1 - dials.above("odd_even", 0.5) * (order % 2 == 0)
    strength = strength * even * ((order * highest < HIGHEST) | (order == 1))
    phases = 10 * noise(draws[:, -6], len(order))
    spectrum = torch.polar(strength / strength.square().sum(1, keepdim=True).sqrt(), phases)
    table = torch.fft.irfft(torch.nn.functional.pad(spectrum, (1, 0)), TABLE) * TABLE
    return torch.cat([table, table[:, :1]], dim=1)


def _formants(dials: Dials, vectors: Tensor, opening: str, fronting: str) -> Tensor:
    """Gains (rows, POINTS) of a vocal tract: four formants over a floor, falling towards high frequencies."""
    tract = 2 ** dials.linear("tract", -0.5, 1.2)
    hertz = torch.cat(
        [dials.ratio(opening, 250, 950), dials.ratio(fronting, 700, 2600), torch.full_like(tract, 2700),
         torch.full_like(tract, 3700)], dim=1
    )  # fmt: skip
    centres = (hertz * tract).clamp(max=7500).div(1000).log2() + 0.3 * (vectors[:, 18:22] - 0.5)
    widths = dials.ratio("formant_width", 0.06, 0.35) * torch.tensor([1.6, 1.2, 1.0, 1.0])
    heights = 10 ** (-0.8 * vectors[:, 22:26])
    return 0.01 + peaks(centres, widths, heights)


def _modes(
    dials: Dials, vectors: Tensor, draws: Tensor, lowest: tuple[float, float], ringing: tuple[float, float]
) -> Tensor:
    """What a thing sounds like when it is hit once, (rows, SAMPLES): twelve decaying modes.

    z^n for every n is z^(128 a) z^b: one small matrix product instead of an exponential for every sample and mode.
    """
    order = torch.arange(MODES) + 1
    spread = order ** dials.linear("stretch", 0.4, 1.6) * (1 + 0.4 * (vectors[:, 26:38] - 0.5))
    hertz = dials.ratio("lowest", *lowest) * spread / spread[:, :1]
    strength = spread ** -dials.linear("brightness", -0.3, 2) * 10 ** (1.5 * (vectors[:, 38:50] - 0.5))
    constant = (dials.ratio("ringing", *ringing) * spread ** -dials.linear("damping", 0, 1.5)).clamp(min=1e-4)
    strength = strength * ((hertz < HIGHEST) | (order == 1))
    phase = 2 * math.pi * draws[:, :MODES]
    decay, turn = (-1 / (constant * RATE))[:, :, None], (2 * math.pi / RATE) * hertz.clamp(max=HIGHEST)[:, :, None]
    inner = torch.arange(BLOCK)
    outer = torch.arange(SAMPLES // BLOCK) * BLOCK
    coarse = torch.polar(strength[:, :, None] * torch.exp(decay * outer), phase[:, :, None] + turn * outer)
    fine = torch.polar(torch.exp(decay * inner), turn * inner)
    left = torch.cat([coarse.real, -coarse.imag], dim=1).transpose(1, 2)
    return (left @ torch.cat([fine.real, fine.imag], dim=1)).flatten(1)
