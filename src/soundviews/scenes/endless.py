"""Endless synthesised sound: clip `index` of a seed, and the same clip again from nearby numbers.

No recording is in it. What it sounds like is decided by numbers in [0, 1] (`Numbers`); that an encoder learns from such
sound alone was shown by Cherep and Singh (Audio Doppelgaengers, ICLR 2025).
"""

from collections.abc import Sequence

import numpy as np
import soxr
import torch
from torch import Tensor

from soundviews.scenes.endless_curves import (
    DRAWS,
    FFT,
    RATE,
    SAMPLES,
    noise,
    octaves,
    over_bins,
    peaks,
)
from soundviews.scenes.endless_layers import render_layers
from soundviews.scenes.endless_numbers import CLIP, KINDS, MOST_LAYERS, Dials, Numbers, draw_numbers, draw_rows, perturb

BATCH = 32  # clips rendered at once: more no longer fit the cache


def make_clips(seed: int, index: Sequence[int], distance: float | None = None) -> Tensor:
    """Clips of 1.6 s at 16 kHz, (clips, 25600) float32, whose largest magnitude is 1.

    Args:
        seed: Which endless sound.
        index: Which clips of it. A clip does not depend on which others are made with it.
        distance: None renders their own numbers; otherwise those that are as far away at most, with events, phases
            and noise drawn afresh: the other half of a positive pair. 0 is another rendering of the same numbers.
    """
    numbers = draw_numbers(seed, index)
    if distance is not None:
        numbers = perturb(numbers, distance, seed, index)
    draws = draw_rows([(seed, "rendering", distance is not None, number) for number in index], MOST_LAYERS * DRAWS + 2)
    parts = zip(range(0, len(index), BATCH), draws.split(BATCH), strict=True)
    return torch.cat([render(_rows(numbers, first), part) for first, part in parts])


def at_rate(clips: Tensor, sample_rate: int) -> Tensor:
    """Clips (clips, samples) of `make_clips` at another rate than theirs."""
    if sample_rate == RATE:
        return clips
    rows = [soxr.resample(clip, RATE, sample_rate, quality="HQ") for clip in clips.numpy()]
    return torch.from_numpy(np.stack(rows)).clamp(-1, 1)


def _rows(numbers: Numbers, first: int) -> Numbers:
    return Numbers(*(getattr(numbers, name)[first : first + BATCH] for name in Numbers.__dataclass_fields__))


def render(numbers: Numbers, draws: Tensor) -> Tensor:
    """Numbers to clips (batch, SAMPLES) of peak 1; `draws` (batch, 3 DRAWS + 2) in [0, 1) is what is left to chance."""
    layer_draws = draws[:, :-2].unflatten(1, (MOST_LAYERS, DRAWS))
    sounding = torch.arange(MOST_LAYERS) < numbers.count[:, None]
    spectra = torch.zeros(len(draws), FFT // 2 + 1, dtype=torch.complex64)
    for kind in range(len(KINDS)):
        clip, layer = (sounding & (numbers.kinds == kind)).nonzero(as_tuple=True)
        if len(clip):
            of_layer = numbers.layers[clip, layer]
            rendered = render_layers(kind, of_layer, numbers.vectors[clip, layer], layer_draws[clip, layer])
            spectra.index_add_(0, clip, rendered * 10 ** (-0.9 * of_layer[:, :1]))  # `level`, down to -18 dB
    return _recorded(spectra, Dials(numbers.clip, CLIP), draws[:, -2:])


def _recorded(spectra: Tensor, dials: Dials, draws: Tensor) -> Tensor:
    """The layers' sum as one microphone in one room hears it, before a background: (batch, SAMPLES)."""
    clock = torch.arange(SAMPLES) / RATE
    tail = noise(draws[:, 0]) * torch.exp((-6.9 / dials.ratio("reverb_time", 0.05, 2)) * clock)
    tail = tail * (dials.above("reverb_level", 0.2) ** 2 / tail.square().sum(1, keepdim=True).sqrt())
    colour = 10 ** (dials.linear("reverb_colour", -9, 1) * octaves().clamp(-3, 3) / 20)
    heard = torch.addcmul(spectra, spectra, torch.fft.rfft(tail, FFT) * over_bins(colour))
    hiss = torch.fft.rfft(noise(draws[:, 1]), FFT) * over_bins(_background(dials))
    hiss = hiss * (dials.gain("background", -53, 2) * (_energy(heard) / _energy(hiss)).sqrt())
    silent = _energy(heard) < 1e-6  # of the energy of one layer: nothing happened; the background is heard instead
    heard = (heard + hiss * ~silent + torch.fft.rfft(noise(draws[:, 1]), FFT) * silent) * over_bins(_response(dials))
    sound = torch.fft.irfft(heard, FFT)[:, :SAMPLES]
    sound = sound - sound.mean(1, keepdim=True)
    return sound / torch.maximum(sound.amax(1, keepdim=True), -sound.amin(1, keepdim=True))


def _energy(spectra: Tensor) -> Tensor:
    """(batch, 1)."""
    return torch.view_as_real(spectra).square().sum((1, 2)).clamp(min=1e-12)[:, None]


def _background(dials: Dials) -> Tensor:
    """Gains (batch, POINTS) of the background: a slope, and a broad bump."""
    centres, widths = dials.linear("background_peak", -3, 3), dials.ratio("background_width", 0.1, 2)
    curve = dials.linear("background_tilt", -9, 1) * octaves() + peaks(
        centres, widths, dials.linear("background_height", -10, 25)
    )
    return 10 ** (curve / 20)


def _response(dials: Dials) -> Tensor:
    """Gains (batch, POINTS) of the recorder: a curve, and where it ends below and above."""
    centres = torch.tensor([[-3.0, -1.5, 0.0, 1.5, 3.0]]).expand(len(dials.values), -1)
    heights = 2 * torch.cat([dials[f"eq_{number}"] for number in range(1, 6)], dim=1) - 1
    curve = 18 * dials["eq_depth"] * peaks(centres, torch.ones_like(centres), heights)
    low, high = dials.linear("high_pass", -7, -1.5), dials.linear("low_pass", 0.5, 6)
    edges = torch.log2(1 + 2 ** (4 * (low - octaves()))) + torch.log2(1 + 2 ** (4 * (octaves() - high)))
    return 10 ** ((curve - 10 * edges) / 20)
