"""Snippets and patches out of batches of clips of different lengths, without a loop over the clips."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from soundviews.core.errors import SoundviewsError
from soundviews.features.log_mel import continued
from soundviews.features.registry import FrontEnd


class Clips(NamedTuple):
    """A batch of clips: samples (batch, longest) float32, zeros behind each end; lengths (batch,) int64."""

    samples: Tensor
    lengths: Tensor


def padded_together(waveforms: Sequence[NDArray[np.float32]]) -> Clips:
    """Waveforms (samples,) of any lengths as one batch, zeros behind the shorter ones."""
    lengths = torch.tensor([len(waveform) for waveform in waveforms])
    samples = torch.zeros(len(waveforms), int(lengths.max()))
    for row, waveform in zip(samples.numpy(), waveforms, strict=True):
        row[: len(waveform)] = waveform
    return Clips(samples, lengths)


def cut(samples: Tensor, lengths: Tensor, starts: Tensor, size: int, fill: str = "repeat") -> Tensor:
    """Snippets of `size` samples.

    Args:
        samples: (batch, longest).
        lengths: (batch,) int64, samples of each clip.
        starts: (batch, k) int64, first sample of each snippet; 0 for clips shorter than `size`. A snippet that
            reaches beyond its clip ends in zeros (the last window of cola's evaluation).
        size: Samples of a snippet.
        fill: What becomes of clips shorter than `size`: `repeat` tiles the clip, `pad` puts it between zeros (the
            odd zero behind it), `pad_end` puts all zeros behind it.

    Returns:
        (batch, k, size).
    """
    return _read(samples, lengths, starts, size, lengths.clamp(min=size), fill)


def cut_patches(
    log_mel: FrontEnd, samples: Tensor, lengths: Tensor, starts: Tensor, frames: int, fill: str = "repeat"
) -> Tensor:
    """Patches that equal slices of each clip's own log-mel, without computing the rest of it.

    At a clip's ends a centred front-end sees the clip reflected there, as if the clip had been alone in the batch.
    Clips too short for one patch are filled to `log_mel.samples(frames)` samples first.

    Args:
        log_mel: The front-end.
        samples: (batch, longest).
        lengths: (batch,) int64, samples of each clip.
        starts: (batch, k) int64, first frame of each patch; at most the clip's frames minus `frames`.
        frames: Frames of a patch.
        fill: `repeat` or `pad`, as in `cut`.

    Returns:
        (batch, k, frames, mels).
    """
    extended = lengths.clamp(min=log_mel.samples(frames))
    first, span = starts * log_mel.hop_length - log_mel.lead, log_mel.span(frames)
    snippets = _read(samples, lengths, first, span, extended, fill, log_mel.pad_mode if log_mel.center else None)
    return log_mel.spectrogram(snippets.flatten(0, 1)).unflatten(0, starts.shape)


def last_start(log_mel: FrontEnd, lengths: Tensor, frames: int) -> Tensor:
    """The last frame (batch,) at which a patch of so many frames can start in each clip; 0 for short clips."""
    return (log_mel.frame_counts(lengths) - frames).clamp(min=0)


def _read(
    samples: Tensor,
    lengths: Tensor,
    first: Tensor,
    size: int,
    extended: Tensor,
    fill: str,
    pad_mode: str | None = None,
) -> Tensor:
    """Samples (batch, k, size) from `first` (batch, k) on, of clips that were filled up to `extended` (batch,) and
    go on beyond their ends as `pad_mode` says (zeros without one).

    Most snippets lie within their clip and are plain copies; only the others need an index for every sample.
    """
    if fill not in ("repeat", "pad", "pad_end"):
        raise SoundviewsError(f"fill is {fill!r}; it must be 'repeat', 'pad' or 'pad_end'")
    if samples.shape[1] < size:
        samples = F.pad(samples, (0, size - samples.shape[1]))
    row = torch.arange(len(samples), device=samples.device)[:, None]
    snippets = samples.unfold(1, size, 1)[row, first.clamp(0, samples.shape[1] - size)]
    clip, column = ((first < 0) | (first + size > lengths[:, None])).nonzero(as_tuple=True)
    if len(clip):
        index = first[clip, column, None] + torch.arange(size, device=samples.device)
        index, inside = continued(index, extended[clip, None], pad_mode or "constant")
        if fill == "repeat":
            index = index.remainder(lengths[clip, None])
        else:
            before = (extended - lengths)[clip, None] // 2 if fill == "pad" else 0
            index = index - before
            inside &= (index >= 0) & (index < lengths[clip, None])
            index = index.clamp(min=0).minimum(lengths[clip, None] - 1)
        snippets[clip, column] = samples[clip[:, None], index] * inside
    return snippets
