"""Recordings of any length through a model, in blocks of bounded length."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from soundviews.archive.inputs import Skipped, Stretch
from soundviews.audio.decode import probe, read
from soundviews.core.errors import UnreadableClip
from soundviews.features.patches import Clips
from soundviews.model import Model

BLOCK_SECONDS = 60.0
BLOCKS_AT_ONCE = 64


class Block(NamedTuple):
    """Some consecutive windows of one stretch.

    stretch: its number. first: number of the first window wanted. context: windows before it that are computed
    and dropped. wanted: how many, None for all to the end (the stretch's last block). start, duration: seconds
    within the recording to decode, duration None for the rest. length: of the stretch, seconds.
    """

    stretch: int
    first: int
    context: int
    wanted: int | None
    start: float
    duration: float | None
    length: float


class Decoded(NamedTuple):
    """A block with its samples at the model's rate; without, for the reason given."""

    block: Block
    samples: np.ndarray | None
    reason: str = ""


class Piece(NamedTuple):
    """What one block gave: starts, ends float64 (windows,) in seconds within the recording, vectors float32
    (windows, dim); no windows and the reason where it could not be read. done: the share of its stretch that is
    behind, 0 to 1."""

    block: Block
    starts: np.ndarray
    ends: np.ndarray
    vectors: np.ndarray
    skipped: Skipped | None
    done: float


def cut_blocks(
    model: Model, number: int, stretch: Stretch, seconds: float, from_window: int, block_seconds: float
) -> Iterator[Block]:
    """Cut a stretch of `seconds` into blocks of whole windows, of which the last takes what remains.

    A window near a block's edge must see what it would see in the whole recording: a centred spectrogram reaches
    half an FFT beyond its frames. So its blocks are decoded with a margin, and the windows that begin inside the
    margin are dropped. Only the level of a whole clip (peak, l2_clip) is then a block's own.
    """
    windows, rate = model.config.windows, model.sample_rate
    spectrogram = windows.unit == "spectrogram"
    unit = model.log_mel.hop_length if spectrogram else 1
    size, hop = windows.size * unit, windows.hop * unit
    margin = model.log_mel.n_fft if spectrogram else 0
    per_block = max(2, int(block_seconds * rate) // hop)
    total = 1 + max(0, int(seconds * rate) - size) // hop
    # The last block holds from one to two blocks, so that a duration off by a sample makes no window of its own.
    firsts = range(0, max(1, total // per_block) * per_block, per_block)
    for first in firsts:
        if first < from_window:
            continue
        context = -(-margin // hop) if first else 0
        offset = (first - context) * hop / rate
        span = ((context + per_block - 1) * hop + size + margin) / rate
        wanted: int | None = per_block
        duration: float | None = span
        if first == firsts[-1]:
            wanted, duration = None, None if stretch.end is None else seconds - offset
        yield Block(number, first, context, wanted, stretch.start + offset, duration, seconds)


def embed_stretches(
    model: Model,
    root: Path,
    stretches: list[Stretch],
    start_at: tuple[int, int] = (0, 0),
    workers: int = 2,
    block_seconds: float = BLOCK_SECONDS,
) -> Iterator[list[Piece]]:
    """Embed stretch after stretch, some blocks at a time, in order.

    Args:
        model: A loaded bundle.
        root: What the stretches' paths are relative to.
        stretches: What to embed.
        start_at: Number of the stretch, and of the window in it, to begin with.
        workers: Threads that decode ahead.
        block_seconds: Length of the blocks; memory grows with it, results of waveform windows do not.

    Yields:
        Pieces of consecutive blocks. What cannot be read is a piece without windows that says why.
    """
    blocks = _all_blocks(model, root, stretches, start_at, block_seconds)
    decoded = _decode_ahead(model, root, stretches, blocks, workers)
    for group in _groups(decoded, int(2 * block_seconds * model.sample_rate)):
        yield _embed_group(model, stretches, group)


def _all_blocks(
    model: Model, root: Path, stretches: list[Stretch], start_at: tuple[int, int], block_seconds: float
) -> Iterator[Block]:
    first_stretch, first_window = start_at
    for number in range(first_stretch, len(stretches)):
        stretch = stretches[number]
        try:
            info = probe(root / stretch.path)
            end = info.frames / info.sample_rate
        except UnreadableClip:
            end = stretch.start  # reading it will say why
        seconds = (end if stretch.end is None else min(end, stretch.end)) - stretch.start
        from_window = first_window if number == first_stretch else 0
        yield from cut_blocks(model, number, stretch, seconds, from_window, block_seconds)


def _decode_ahead(
    model: Model, root: Path, stretches: list[Stretch], blocks: Iterable[Block], workers: int
) -> Iterator[Decoded]:
    def decode(block: Block) -> Decoded:
        # Silence inside a long recording is part of it; a recording that is nothing but silence is not.
        part_of_more = block.wanted is not None or block.first > 0
        path = root / stretches[block.stretch].path
        try:
            return Decoded(
                block, read(path, block.start, block.duration, model.sample_rate, allow_silence=part_of_more)
            )
        except UnreadableClip as error:
            return Decoded(block, None, str(error))

    remaining = iter(blocks)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        waiting = deque(pool.submit(decode, block) for block in islice(remaining, 2 * workers))
        try:
            while waiting:
                done = waiting.popleft().result()
                waiting.extend(pool.submit(decode, block) for block in islice(remaining, 1))
                yield done
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _groups(decoded: Iterable[Decoded], most_samples: int) -> Iterator[list[Decoded]]:
    """Consecutive blocks that, padded to the longest, stay below `most_samples`."""
    group: list[Decoded] = []
    longest = 0
    for one in decoded:
        length = 0 if one.samples is None else len(one.samples)
        if group and (max(longest, length) * (len(group) + 1) > most_samples or len(group) == BLOCKS_AT_ONCE):
            yield group
            group, longest = [], 0
        group.append(one)
        longest = max(longest, length)
    if group:
        yield group


def _embed_group(model: Model, stretches: list[Stretch], group: list[Decoded]) -> list[Piece]:
    readable = [one.samples for one in group if one.samples is not None]
    vectors = iter(_embed_batch(model, readable))
    return [
        _unread(model, stretches[one.block.stretch], one)
        if one.samples is None
        else _piece(model, stretches[one.block.stretch], one.block, len(one.samples), next(vectors))
        for one in group
    ]


def _embed_batch(model: Model, waveforms: list[np.ndarray]) -> list[np.ndarray]:
    """Vectors (windows, dim) of each waveform."""
    if not waveforms:
        return []
    lengths = np.array([len(samples) for samples in waveforms])
    padded = np.zeros((len(waveforms), lengths.max()), dtype=np.float32)
    for row, samples in zip(padded, waveforms, strict=True):
        row[: len(samples)] = samples
    vectors, clip, _ = model.embed_clips(Clips(torch.from_numpy(padded), torch.from_numpy(lengths)))
    return np.split(vectors.numpy(), np.searchsorted(clip.numpy(), np.arange(1, len(waveforms))))


def _piece(model: Model, stretch: Stretch, block: Block, samples: int, vectors: np.ndarray) -> Piece:
    vectors = vectors[block.context :][: block.wanted]
    starts = stretch.start + (block.first + np.arange(len(vectors))) * model.hop_seconds
    # A last window that the bundle fills up ends where the recording does.
    ends = np.minimum(starts + model.seconds, block.start + samples / model.sample_rate)
    share = (block.first + len(vectors)) * model.hop_seconds / max(block.length, model.hop_seconds)
    return Piece(block, starts, ends, vectors, None, 1.0 if block.wanted is None else share)


def _unread(model: Model, stretch: Stretch, one: Decoded) -> Piece:
    nothing = np.zeros(0)
    skipped = Skipped(stretch.path, one.block.start, one.reason)
    vectors = np.zeros((0, model.embedding_size), np.float32)
    return Piece(one.block, nothing, nothing, vectors, skipped, float(one.block.wanted is None))
