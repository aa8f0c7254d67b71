"""Time stretching that keeps the pitch (acl: Emami et al., 2021, Sec. 2.1)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.features.patches import Clips
from soundviews.views.registry import View, views

_WINDOW = 0.064  # seconds: long enough to tell the partials of a voice apart, 1024 samples at 16 kHz
_OVERLAP = 4  # windows over each sample
_ONSET = 2.0  # times the energy before: far beyond what noise does from one hop to the next
_CPU_BLOCK, _GPU_BLOCK = 2**19, 2**23  # samples stretched at once: what stays in a cache, what bounds the memory


@views.register("time_stretch")
class TimeStretch(View):
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
        self.stft_window = _OVERLAP * 2 ** max(0, round(math.log2(_WINDOW / _OVERLAP * sample_rate)))

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        chosen, which = self.draws(len(clips.samples), rng)
        rates = torch.tensor(self.rates, dtype=torch.float64, device=rng.device)[which]
        return stretch(*clips, rates.where(chosen, 1.0), self.stft_window)

    def draws(self, batch: int, rng: Randomness) -> tuple[Tensor, Tensor]:
        """Which clips are stretched, bool (batch,), and the number of each one's rate, int64 (batch,)."""
        chosen = rng.uniform(batch) < self.probability
        return chosen, rng.integers(torch.full((batch,), len(self.rates), device=rng.device))


def stretch(samples: Tensor, lengths: Tensor, rates: Tensor, window: int = 1024) -> Clips:
    """Each clip at its own rate, by a phase vocoder (Flanagan and Golden, 1966) that spares onsets.

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
            else:
                size = int(new_lengths[some].max())
                stretched[some, :size] = _vocoded(samples[some], rate, size, window)
    stretched *= torch.arange(longest, device=samples.device) < new_lengths[:, None]
    return Clips(stretched, new_lengths)


def _vocoded(samples: Tensor, rate: float, size: int, window: int) -> Tensor:
    """The first `size` samples of (rows, longest) stretched by one rate: (rows, size).

    Frame t of the output shows the frame of the input that is nearest to t * rate. Beyond its ends a clip is zero.
    """
    hop = window // _OVERLAP
    count = (size - 1 + window // 2) // hop + 1
    shape = torch.hann_window(window, dtype=samples.dtype, device=samples.device)
    source = (torch.arange(count, dtype=torch.float64) * rate + 0.5).long()
    length = (int(source[-1]) + 1) * hop + window
    padded = F.pad(samples, (window // 2, length - samples.shape[1] - window // 2))
    spectrum = torch.fft.rfft(padded.unfold(1, window, hop) * shape)
    frames = torch.fft.irfft(_in_phase(spectrum, source, _last_onset(padded, hop)), window).mul_(shape)
    inner = slice(window // 2, window // 2 + size)
    return _overlapped(frames)[:, inner] / _overlapped((shape * shape).expand(1, count, -1))[:, inner]


def _last_onset(padded: Tensor, hop: int) -> Tensor:
    """The last frame up to each one that brought an onset, -1 before the first: int64 (rows, frames).

    An onset is a hop of more energy than those before it in the window. Of the differences of the samples, because
    clicks and attacks are brighter than what they come out of.
    """
    energy = F.pad(padded.diff(dim=1), (1, 0)).unflatten(1, (-1, hop)).square().sum(dim=2)
    before = F.avg_pool1d(F.pad(energy, (1, 0)), _OVERLAP, stride=1)[:, :-1]
    frame = torch.arange(before.shape[1], device=padded.device)
    return frame.where(energy[:, _OVERLAP - 1 :] > _ONSET * before, -1).cummax(dim=1).values


def _in_phase(spectrum: Tensor, source: Tensor, last_onset: Tensor) -> Tensor:
    """The frames `source` of the spectrum, each turned so that its phases continue those of the frame before.

    They do by themselves wherever the source moves on by one frame, which is nearly everywhere: only where a frame
    is shown again or left out (a jump) its bins must be turned by the phase between the frame that would have
    followed and the one that does; these turns add up. The neighbours of a bin have a say in its turn, which holds
    the bins of a partial together (Puckette, 1995). After an onset nothing has to be continued: up to the next jump
    the frames are shown as they are, and a click stays a click (after Roebel, 2003).

    Args:
        spectrum: (rows, frames, bins) complex.
        source: (count,) int64, rising, on the CPU.
        last_onset: (rows, frames), from `_last_onset`.

    Returns:
        (rows, count, bins) complex.
    """
    jump = 1 + (source.diff() != 1).nonzero()[:, 0]
    section = torch.zeros_like(source).index_fill(0, jump, 1).cumsum(dim=0).to(spectrum.device)
    before = F.pad(source[jump - 1], (1, 0), value=-1).to(spectrum.device)  # the frame shown before each section
    last, source = (jump - 1).to(spectrum.device), source.to(spectrum.device)
    cross = F.pad(spectrum[:, before[1:] + 1] * spectrum[:, source[last + 1]].conj(), (1, 1))
    turn = (0.0 + cross[..., :-2] + 2 * cross[..., 1:-1] + cross[..., 2:]).angle()  # -0.0 would have the angle pi
    total = F.pad(turn.cumsum(dim=1), (0, 0, 1, 0))

    first = F.pad(source[last + 1], (1, 0))  # a repeated onset is one still: the faint beginning of a click comes twice
    fresh = last_onset[:, source] > torch.minimum(before, first - 1)[section]
    number = torch.arange(len(last), device=spectrum.device)
    forgotten = F.pad(number.where(fresh[:, last], 0).cummax(dim=1).values, (1, 0))
    angle = total - total.gather(1, forgotten[..., None].expand_as(total))
    rotation = F.pad(torch.polar(torch.ones_like(angle), angle), (0, 0, 0, 1), value=1.0)
    row = torch.arange(len(spectrum), device=spectrum.device)[:, None]
    return spectrum[:, source].mul_(rotation[row, section.where(~fresh, len(last) + 1)])


def _overlapped(frames: Tensor) -> Tensor:
    """Frames (rows, count, window) added up, a quarter of a window apart: (rows, samples)."""
    rows, count, window = frames.shape
    total = frames.new_zeros(rows, count + _OVERLAP - 1, window // _OVERLAP)
    for number, quarter in enumerate(frames.chunk(_OVERLAP, dim=2)):
        total[:, number : number + count] += quarter
    return total.flatten(1)
