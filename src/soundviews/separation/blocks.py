"""Recordings of any length through a separator, in overlapping blocks whose channels are kept in order.

A separator normalises over the whole of what it is given, and has learned from clips of some ten seconds: a longer
stretch has other statistics, a much shorter one too little context. So blocks are about as long as those clips, and
half of each is also in the next: enough to tell which channel goes on as which, and to fade from one to the other.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from soundviews.core.errors import UnreadableClip
from soundviews.separation.processor import Processor
from soundviews.separation.quality import match

BLOCK_SECONDS = 10.0

Samples = NDArray[np.float32]


def separate_blocks(processor: Processor, chunks: Iterable[Samples], block: int) -> Iterator[Samples]:
    """Separate a recording that comes in chunks; only a block or two of it are held at a time.

    Neighbouring blocks are matched where they overlap, for the least squared error, and cross-faded there with
    weights that sum to one: what sums to the recording in every block does so in the whole. Where the overlap is
    silent there is nothing to go by, and the order of the channels may change.

    Args:
        processor: What separates.
        chunks: (samples,) each, at the processor's rate, of any lengths; together the recording.
        block: Samples of a block, at least 2. A recording that is no longer is separated in one go.

    Yields:
        (sources, samples) channels; together as long as the recording.

    Raises:
        UnreadableClip: for samples so large that the separator overflows.
    """
    held: Tensor | None = None
    held_from = 0
    for start, samples in cut_blocks(chunks, block):
        channels = _separate(processor, samples)
        if held is not None:
            yield held[:, : start - held_from].numpy()
            channels = continue_channels(held[:, start - held_from :], channels)
        held, held_from = channels, start
    if held is not None:
        yield held.numpy()


def cut_blocks(chunks: Iterable[Samples], block: int) -> Iterator[tuple[int, Samples]]:
    """Blocks that each begin half a block after the last one; the final one is moved back to be whole.

    Yields:
        The first sample's place in the recording, and the block (block,); one shorter block for a shorter recording.
    """
    held = np.zeros(0, np.float32)  # from the beginning of the last block on
    held_from, ahead = 0, 0
    for chunk in chunks:
        held = np.concatenate([held, chunk])
        while len(held) > ahead + block:
            held, held_from = held[ahead:], held_from + ahead
            yield held_from, held[:block]
            ahead = block - block // 2
    if len(held):
        last = max(0, len(held) - block)
        yield held_from + last, held[last:]


def continue_channels(before: Tensor, channels: Tensor) -> Tensor:
    """Order channels as those before them, and fade from those into them.

    Args:
        before: (sources, overlap), what was separated so far of the first samples of `channels`.
        channels: (sources, samples), at least as many samples.

    Returns:
        (sources, samples).
    """
    overlap = before.shape[1]
    # The energies do not depend on the order: the least squared error is the largest sum of inner products.
    channels = channels[match(before.double() @ channels[:, :overlap].double().T)]
    fade = torch.sin(torch.pi / 2 * (torch.arange(overlap) + 0.5) / overlap).square()
    return torch.cat([before.lerp(channels[:, :overlap], fade), channels[:, overlap:]], dim=1)


def _separate(processor: Processor, samples: Samples) -> Tensor:
    """(samples,) -> (sources, samples) in main memory."""
    device = next(processor.network.parameters()).device
    channels = processor(torch.from_numpy(samples)[None].to(device))[0].cpu()
    if not channels.isfinite().all():
        raise UnreadableClip(f"samples of up to {np.abs(samples).max():.1e}, too large to be separated")
    return channels
