"""Separated channels made in the training step, on the device where the batch lives."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from soundviews.separation.draw import Wanted
from soundviews.separation.near_empty import worst_channel
from soundviews.separation.processor import Processor

# A chunk's activations stay near 2 GB for the published network: 10 s take about 100 MB, and 25 MB a channel.
_CHUNK_BYTES = 2e9
_BYTES_PER_SAMPLE = 600
_BYTES_PER_CHANNEL_SAMPLE = 150


@torch.no_grad()
def separate_wanted(
    processors: Sequence[Processor], samples: Tensor, lengths: Tensor, wanted: Sequence[Wanted]
) -> Tensor:
    """The channels that `wanted` draws; each processor runs once over the clips that any block wants of it.

    Args:
        processors: On the device of `samples`; `Wanted.processor` counts in them.
        samples: (batch, samples) float32, mixtures, zeros behind the end of each.
        lengths: (batch,) int64, samples of each clip.
        wanted: One for each block, for the `batch` clips.

    Returns:
        (blocks, batch, samples) float32, zeros behind the end of each clip.
    """
    result = samples.expand(len(wanted), *samples.shape).clone()
    for index, processor in enumerate(processors):
        rows = np.flatnonzero(np.any([_needs(draw, index, processor.sources) for draw in wanted], axis=0))
        for part, channels in separated(processor, samples, lengths, rows):
            worst = np.zeros(len(part), np.int64)
            if any(draw.discard_worst for draw in wanted):
                worst = worst_channel(channels, samples[_index(part, samples)]).cpu().numpy()
            for block, draw in enumerate(wanted):
                draw = draw.of(part)
                chosen = draw.channel(np.full(len(part), processor.sources), worst)
                taken = np.flatnonzero((draw.processor == index) & (chosen >= 0))
                source = channels[_index(taken, samples), _index(chosen[taken], samples)]
                result[block, _index(part[taken], samples)] = source
    return result


@torch.no_grad()
def separated(
    processor: Processor, samples: Tensor, lengths: Tensor, rows: np.ndarray
) -> Iterator[tuple[np.ndarray, Tensor]]:
    """Separate clips `rows` of a batch, as many at a time as fit into bounded memory.

    On a CPU that is one clip: together they are no faster there, and padding is work.

    Args:
        samples: (batch, samples) float32.
        lengths: (batch,) int64.
        rows: (n,) int64.

    Yields:
        Some of `rows`, (k,), and their channels, (k, sources, samples) float32, zeros behind the end of each clip.
    """
    ends = lengths.cpu().numpy()
    # Neighbours of like length share a chunk, so that little of it is padding.
    rows = rows[np.argsort(ends[rows], kind="stable")]
    size = _at_once(samples, processor.sources)
    for first in range(0, len(rows), size):
        part = rows[first : first + size]
        longest = int(ends[part].max())
        index = _index(part, samples)
        # What is kept on disk was made at full precision; a training at 16 bit must see the same.
        with torch.autocast(samples.device.type, enabled=False):
            if len(part) == 1:
                channels = processor(samples[index, :longest])
            else:
                channels = processor(samples[index, :longest], lengths[index])
        yield part, torch.nn.functional.pad(channels, (0, samples.shape[1] - longest))


def _needs(wanted: Wanted, index: int, sources: int) -> np.ndarray:
    """(batch,) bool: whose channel comes from the processor with this index, and is not the mixture itself."""
    zeros = np.zeros(len(wanted.processor), np.int64)
    return (wanted.processor == index) & (wanted.channel(zeros + sources, zeros) >= 0)


def _at_once(samples: Tensor, sources: int) -> int:
    if samples.device.type == "cpu":
        return 1
    per_clip = samples.shape[1] * (_BYTES_PER_SAMPLE + _BYTES_PER_CHANNEL_SAMPLE * sources)
    return max(1, int(_CHUNK_BYTES / per_clip))


def _index(rows: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(rows).to(like.device)
