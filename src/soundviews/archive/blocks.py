"""Recordings of any length through a model, in blocks of bounded length."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch

from soundviews.audio.corpus import Clip, Corpus, Skipped
from soundviews.audio.decode import probe, read
from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.features.patches import Clips
from soundviews.model import Model

BLOCK_SECONDS = 60.0
BLOCKS_AT_ONCE = 64


class Block(NamedTuple):
    """Some consecutive windows of one clip, which may be a recording of any length.

    row: of the clip in its corpus. first: number of the first window wanted. context: windows before it that are
    computed and dropped. wanted: how many, None for all to the end (the clip's last block). start, duration: seconds
    within the recording to decode, duration None for the rest. length: of the clip, seconds.
    """

    row: int
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
    (windows, dim), power float32 (windows,); no windows and the reason where it could not be read. done: the share of
    its clip that is behind, 0 to 1."""

    block: Block
    starts: np.ndarray
    ends: np.ndarray
    vectors: np.ndarray
    power: np.ndarray
    skipped: Skipped | None
    done: float


def cut_blocks(
    model: Model, row: int, clip: Clip, seconds: float, from_window: int, block_seconds: float
) -> Iterator[Block]:
    """Cut a clip of `seconds` into blocks of whole windows, of which the last takes what remains.

    A window near a block's edge must see what it would see in the whole recording: a centred spectrogram reaches
    beyond its frames. So its blocks are decoded with a margin, and the windows that begin inside the
    margin are dropped. Only the level of a whole clip (peak, l2_clip) is then one for each block.
    """
    windows, rate = model.config.windows, model.sample_rate
    spectrogram = windows.unit == "spectrogram"
    unit = model.log_mel.hop_length if spectrogram else 1
    size, hop = windows.size * unit, windows.hop * unit
    margin = model.log_mel.window_length + model.log_mel.lead if spectrogram else 0
    per_block = max(2, int(block_seconds * rate) // hop)
    total = 1 + max(0, int(seconds * rate) - size) // hop
    # The last block is up to twice as long, so that a duration off by a sample makes no further window.
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
            wanted, duration = None, None if clip.end is None else seconds - offset
        yield Block(row, first, context, wanted, clip.start + offset, duration, seconds)


def embed_in_blocks(
    model: Model,
    corpus: Corpus,
    start_at: tuple[int, int] = (0, 0),
    workers: int = 2,
    block_seconds: float = BLOCK_SECONDS,
) -> Iterator[list[Piece]]:
    """Embed clip after clip, of any length, some blocks at a time, in order.

    Args:
        model: A loaded bundle.
        corpus: What to embed.
        start_at: Row of the clip, and number of the window in it, to begin with.
        workers: Threads that decode ahead.
        block_seconds: Length of the blocks; memory grows with it, results of waveform windows do not.

    Yields:
        Pieces of consecutive blocks. What cannot be read is a piece without windows that says why.

    Raises:
        SoundviewsError: a vector is not finite; names the recording and the second.
    """
    blocks = _all_blocks(model, corpus, start_at, block_seconds)
    decoded = _decode_ahead(model, corpus, blocks, workers)
    for group in _groups(decoded, int(2 * block_seconds * model.sample_rate)):
        yield _embed_group(model, corpus, group)


def _all_blocks(model: Model, corpus: Corpus, start_at: tuple[int, int], block_seconds: float) -> Iterator[Block]:
    first_row, first_window = start_at
    known = corpus.column("duration")
    for row in range(first_row, len(corpus)):
        clip = corpus.clip(row)
        end = float(known[row])
        if np.isnan(end):
            try:
                end = probe(clip.path).seconds
            except UnreadableClip:
                end = clip.start  # reading it will say why
        seconds = (end if clip.end is None else min(end, clip.end)) - clip.start
        from_window = first_window if row == first_row else 0
        yield from cut_blocks(model, row, clip, seconds, from_window, block_seconds)


def _decode_ahead(model: Model, corpus: Corpus, blocks: Iterable[Block], workers: int) -> Iterator[Decoded]:
    def decode(block: Block) -> Decoded:
        # Silence inside a long recording is part of it; a recording that is nothing but silence is not.
        part_of_more = block.wanted is not None or block.first > 0
        path = corpus.clip(block.row).path
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
    for item in decoded:
        length = 0 if item.samples is None else len(item.samples)
        if group and (max(longest, length) * (len(group) + 1) > most_samples or len(group) == BLOCKS_AT_ONCE):
            yield group
            group, longest = [], 0
        group.append(item)
        longest = max(longest, length)
    if group:
        yield group


def _embed_group(model: Model, corpus: Corpus, group: list[Decoded]) -> list[Piece]:
    embedded = iter(_embed_batch(model, [item.samples for item in group if item.samples is not None]))
    return [
        _unread(model, corpus, item)
        if item.samples is None
        else _piece(model, corpus.clip(item.block.row), item.block, len(item.samples), *next(embedded))
        for item in group
    ]


def _embed_batch(model: Model, waveforms: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Vectors (windows, dim) and power (windows,) of each waveform's windows."""
    if not waveforms:
        return []
    lengths = np.array([len(samples) for samples in waveforms])
    padded = np.zeros((len(waveforms), lengths.max()), dtype=np.float32)
    for row, samples in zip(padded, waveforms, strict=True):
        row[: len(samples)] = samples
    clips = Clips(torch.from_numpy(padded), torch.from_numpy(lengths))
    vectors, clip, starts = model.embed_clips(clips)
    edges = np.searchsorted(clip.numpy(), np.arange(1, len(waveforms)))
    power = model.window_power(clips, clip, starts)
    return list(zip(np.split(vectors.numpy(), edges), np.split(power, edges), strict=True))


def _piece(model: Model, clip: Clip, block: Block, samples: int, vectors: np.ndarray, power: np.ndarray) -> Piece:
    vectors, power = (part[block.context :][: block.wanted] for part in (vectors, power))
    starts = clip.start + (block.first + np.arange(len(vectors))) * model.hop_seconds
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise SoundviewsError(
            f"{clip.path}: the vector of the window at {starts[finite.argmin()]:g} s is not finite: the model's "
            "weights or its settings cannot be right"
        )
    # A last window that the bundle fills up ends where the recording does.
    ends = np.minimum(starts + model.seconds, block.start + samples / model.sample_rate)
    share = (block.first + len(vectors)) * model.hop_seconds / max(block.length, model.hop_seconds)
    return Piece(block, starts, ends, vectors, power, None, 1.0 if block.wanted is None else share)


def _unread(model: Model, corpus: Corpus, item: Decoded) -> Piece:
    block, nothing, no_power = item.block, np.zeros(0), np.zeros(0, np.float32)
    reason = f"from {block.start:g} s on: {item.reason}" if block.first else item.reason
    skipped = Skipped(corpus.relative(corpus.clip(block.row).path), reason)
    vectors = np.zeros((0, model.embedding_size), np.float32)
    return Piece(block, nothing, nothing, vectors, no_power, skipped, float(block.wanted is None))
