"""Snippets and patches out of batches of clips of different lengths, without a loop over the clips."""

from typing import NamedTuple

import torch
from torch import Tensor

from soundviews.errors import SoundviewsError
from soundviews.features.log_mel import LogMel, continued


class Clips(NamedTuple):
    """A batch of clips: samples (batch, longest) float32, zeros behind each end; lengths (batch,) int64."""

    samples: Tensor
    lengths: Tensor


def cut(samples: Tensor, lengths: Tensor, starts: Tensor, size: int, fill: str = "repeat") -> Tensor:
    """Snippets of `size` samples.

    Args:
        samples: (batch, longest).
        lengths: (batch,) int64, samples of each clip.
        starts: (batch, k) int64, first sample of each snippet; 0 for clips shorter than `size`.
        size: Samples of a snippet.
        fill: What becomes of clips shorter than `size`: `repeat` tiles the clip, `pad` puts it between zeros (the
            odd zero behind it).

    Returns:
        (batch, k, size).
    """
    index = starts[..., None] + torch.arange(size, device=samples.device)
    return _read(samples, lengths, index, lengths.clamp(min=size), fill)


def cut_patches(
    log_mel: LogMel, samples: Tensor, lengths: Tensor, starts: Tensor, frames: int, fill: str = "repeat"
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
    first = starts * log_mel.hop_length - log_mel.lead
    index = first[..., None] + torch.arange(log_mel.span(frames), device=samples.device)
    if not log_mel.center:
        snippets = _read(samples, lengths, index, extended, fill)
    else:
        index, inside = continued(index, extended[:, None, None], log_mel.pad_mode)
        snippets = _read(samples, lengths, index, extended, fill) * inside
    return log_mel.spectrogram(snippets.flatten(0, 1)).unflatten(0, starts.shape)


def last_start(log_mel: LogMel, lengths: Tensor, frames: int) -> Tensor:
    """The last frame (batch,) at which a patch of so many frames can start in each clip; 0 for short clips."""
    return (log_mel.frame_counts(lengths) - frames).clamp(min=0)


def _read(samples: Tensor, lengths: Tensor, index: Tensor, extended: Tensor, fill: str) -> Tensor:
    """Samples (batch, k, size) at `index` (batch, k, size) of clips that were filled up to `extended` (batch,)."""
    lengths, extended = lengths[:, None, None], extended[:, None, None]
    if fill == "repeat":
        inside, index = index < extended, index.remainder(lengths.clamp(min=1))
    elif fill == "pad":
        index = index - (extended - lengths) // 2
        inside = (index >= 0) & (index < lengths)
        index = index.clamp(min=0).minimum((lengths - 1).clamp(min=0))
    else:
        raise SoundviewsError(f"fill is {fill!r}; it must be 'repeat' or 'pad'")
    taken = samples.gather(1, index.flatten(1)).view(index.shape)
    return taken * inside
