"""Time stretching that keeps the pitch (acl: Emami et al., 2021, Sec. 2.1)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from soundviews.features.patches import Clips
from soundviews.randomness import Randomness
from soundviews.views.registry import views

_WINDOW = 0.064  # seconds: long enough to tell the partials of a voice apart, 1024 samples at 16 kHz
_OVERLAP = 4  # windows over each sample
_CPU_BLOCK, _GPU_BLOCK = 2**18, 2**23  # samples stretched at once: what stays in a cache, what bounds the memory
_FAINT = 1e-18  # below, the square of a float32 magnitude is zero


@views.register("time_stretch")
class TimeStretch:
    """Play each clip with the given probability faster or slower, each of the rates equally likely; pitch stays.

    Args:
        sample_rate: Hz.
        probability: Share of the clips that are stretched.
        rates: How many times faster; a clip becomes length / rate long.
    """

    takes = gives = "clips"

    def __init__(self, sample_rate: int, probability: float = 0.5, rates: Sequence[float] = (0.9, 1.1)) -> None:
        if not 0 <= probability <= 1:
            raise ValueError(f"probability is {probability}; it must lie within 0 and 1")
        if not rates or not all(0.25 <= rate <= 4 for rate in rates):
            raise ValueError(f"rates are {list(rates)}; there must be one at least, each within 0.25 and 4")
        self.probability, self.rates = probability, tuple(rates)
        self.window = _OVERLAP * 2 ** max(0, round(math.log2(_WINDOW / _OVERLAP * sample_rate)))

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        chosen, which = self.draws(len(clips.samples), rng)
        rates = torch.tensor(self.rates, dtype=torch.float64, device=rng.device)[which]
        return stretch(*clips, rates.where(chosen, 1.0), self.window)

    def draws(self, batch: int, rng: Randomness) -> tuple[Tensor, Tensor]:
        """Which clips are stretched, bool (batch,), and the number of each one's rate, int64 (batch,)."""
        chosen = rng.uniform(batch) < self.probability
        return chosen, rng.integers(torch.full((batch,), len(self.rates), device=rng.device))


def stretch(samples: Tensor, lengths: Tensor, rates: Tensor, window: int = 1024) -> Clips:
    """Each clip at its own rate, by a phase vocoder (Flanagan and Golden, 1966).

    The work is grouped by rate; clips of rate 1 are copied. A clip's result does not depend on the others.

    Args:
        samples: (batch, longest), zeros behind each clip.
        lengths: (batch,) int64, samples of each clip.
        rates: (batch,) how many times faster; best float64, since 0.9 is not a float32.
        window: Samples of a window, a multiple of 4; a quarter of it is the hop.

    Returns:
        Clips of round(length / rate) samples, at least one.
    """
    new_lengths = (lengths / rates.double()).round().long().clamp(min=1)
    longest = int(new_lengths.max())
    stretched = samples.new_zeros(len(samples), longest)
    block = _CPU_BLOCK if samples.device.type == "cpu" else _GPU_BLOCK
    for rate in rates.unique().tolist():
        rows = (rates == rate).nonzero()[:, 0]
        for some in rows.split(max(1, block // longest)):
            if rate == 1:
                size = min(longest, samples.shape[1])
                stretched[some, :size] = samples[some, :size]
                continue
            size = int(new_lengths[some].max())
            stretched[some, :size] = _vocoded(samples[some], rate, size, window)
    stretched *= torch.arange(longest, device=samples.device) < new_lengths[:, None]
    return Clips(stretched, new_lengths)


def _vocoded(samples: Tensor, rate: float, size: int, window: int) -> Tensor:
    """The first `size` samples of (rows, longest) stretched by one rate: (rows, size)."""
    hop = window // _OVERLAP
    count = (size - 1 + window // 2) // hop + 1
    shape = torch.hann_window(window, dtype=samples.dtype, device=samples.device)
    place = torch.arange(count, dtype=torch.float64) * rate
    source = place.long()
    share = (place - source).to(samples)[:, None]
    length = (int(source[-1]) + 1) * hop + window
    padded = F.pad(samples, (window // 2, length - samples.shape[1] - window // 2))
    spectrum = _interpolated(torch.fft.rfft(padded.unfold(1, window, hop) * shape), source, share)
    frames = torch.fft.irfft(spectrum, window).mul_(shape)
    inner = slice(window // 2, window // 2 + size)
    return _overlapped(frames)[:, inner] / _overlapped((shape * shape).expand(1, count, -1))[:, inner]


def _interpolated(spectrum: Tensor, source: Tensor, share: Tensor) -> Tensor:
    """The spectrum between frames `source` and `source` + 1, its phase going on as it does between these two.

    Where the source moves on by one frame, the phase of the output turns as that of the input does: their difference
    stays as it is. So only where a frame is read again or left out must a phase be computed and accumulated.

    Args:
        spectrum: (rows, frames, bins) complex.
        source: (count,) int64, on the CPU.
        share: (count, 1) of the later of both frames.

    Returns:
        (rows, count, bins) complex.
    """
    jump = 1 + (source.diff() != 1).nonzero()[:, 0]
    turn = spectrum[:, source[jump - 1] + 1].angle() - spectrum[:, source[jump]].angle()
    angle = F.pad(turn.cumsum(dim=1), (0, 0, 1, 0))
    section = torch.zeros_like(source).index_fill(0, jump, 1).cumsum(dim=0)
    magnitude = (spectrum.real.square() + spectrum.imag.square()).sqrt_()
    growth = magnitude[:, 1:] / magnitude[:, :-1].clamp(min=_FAINT)
    gain = torch.lerp(torch.ones_like(share), growth[:, source], share)
    rotation = torch.polar(torch.ones_like(angle), angle)
    return spectrum[:, source] * rotation[:, section] * gain


def _overlapped(frames: Tensor) -> Tensor:
    """Frames (rows, count, window) added up, a quarter of a window apart: (rows, samples)."""
    rows, count, window = frames.shape
    total = frames.new_zeros(rows, count + _OVERLAP - 1, window // _OVERLAP)
    for number, quarter in enumerate(frames.chunk(_OVERLAP, dim=2)):
        total[:, number : number + count] += quarter
    return total.flatten(1)
