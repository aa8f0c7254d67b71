"""Separate a corpus once and keep the channels, a shard of clips at a time; `prepared` says in what form.

A shard comes into being whole or not at all, so that an interrupted run loses one shard and goes on from there.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from soundviews.audio.corpus import Corpus, Skipped
from soundviews.audio.loader import pad
from soundviews.audio.store import ClipStore
from soundviews.core.durations import said_bytes
from soundviews.core.errors import SoundviewsError, UnreadableClip, words
from soundviews.core.files import remove_unfinished
from soundviews.core.locks import locked
from soundviews.core.pages import read_json
from soundviews.core.progress import bar
from soundviews.separation.channel_shards import (
    CLIPS_PER_SHARD,
    compress,
    kept_whole,
    open_shard,
    rows_of,
    shard_file,
    write_shard,
)
from soundviews.separation.near_empty import worst_channel
from soundviews.separation.on_the_fly import separated
from soundviews.separation.prepared import clip_keys, read_index
from soundviews.separation.processor import Processor

# FLAC's share of the plain samples, by bits. Measured at 16: 0.62 to 0.65 on ESC-50, 0.72 on the built-in scenes.
FLAC_RATIO = {16: 0.7, 24: 0.8}

logger = logging.getLogger(__name__)

Waveform = NDArray[np.float32]
Decoded = Waveform | str  # or the reason why not


class Expected(NamedTuple):
    """seconds: of audio; most, estimate: bytes on disk of all channels, as plain samples and as FLAC."""

    seconds: float
    most: float
    estimate: float


class Prepared(NamedTuple):
    """What is there now.

    made, total: clips separated in this run and in all, counted once for each processor.
    size: bytes on disk.
    skipped: recordings and clips without channels.
    """

    home: Path
    made: int
    total: int
    size: int
    skipped: list[Skipped]


def expected(corpus: Corpus, processors: Sequence[Processor], bits: int = 16) -> Expected:
    """The size of what `prepare` writes of a corpus that was cut, from the lengths of its clips."""
    end = np.fmin(corpus.column("end"), corpus.column("duration"))
    seconds = float((end - corpus.column("start")).sum())
    most = sum(seconds * processor.sample_rate * bits / 8 * processor.sources for processor in processors)
    return Expected(seconds, most, FLAC_RATIO[bits] * most)


def prepare(
    corpus: Corpus,
    processors: Sequence[Processor],
    directory: Path,
    bits: int = 16,
    device: str = "cpu",
    workers: int = 2,
    strict: bool = False,
    progress: bool = False,
    wait: bool = False,
) -> Prepared:
    """Separate every clip by every processor and keep the channels; what is there already stays.

    Args:
        corpus: Cut into clips (`Corpus.cut`) as the training will.
        processors: Of one sample rate.
        bits: 16 or 24 of a sample; each channel is scaled to its own peak.
        device: Where to separate.
        workers: Threads that decode and compress.
        strict: Stop at the first clip that cannot be read instead of leaving it out.
        progress: Show a bar.
        wait: Wait for another process that is separating the same clips into `directory`.

    Raises:
        SoundviewsError: too little room on the disk, what is there was made with other `bits`, or another process is
            at it.
        UnreadableClip: with `strict`, names the clip.
    """
    if len(corpus) == 0:
        raise SoundviewsError("no clip of the corpus can be read")
    rate = processors[0].sample_rate
    home = _choose_home(corpus, directory, rate)
    with locked(home, inside=True, wait=wait):
        made, total = _make_missing(corpus, processors, home, bits, device, workers, strict, progress)
    folders = [home / processor.digest for processor in processors]
    size = sum(entry.stat().st_size for folder in folders for entry in os.scandir(folder))
    return Prepared(home, made, total, size, _skipped(corpus, folders))


def _make_missing(
    corpus: Corpus,
    processors: Sequence[Processor],
    home: Path,
    bits: int,
    device: str,
    workers: int,
    strict: bool,
    progress: bool,
) -> tuple[int, int]:
    """Make the shards that are not there whole; returns how many clips that took, and how many there are in all."""
    missing = [_missing(home / processor.digest, len(corpus)) for processor in processors]
    for processor in processors:
        _require_same_bits(home / processor.digest, bits)
    total = len(corpus) * len(processors)
    to_make = sum(len(rows_of(shard, len(corpus))) for shards in missing for shard in shards)
    _ensure_room(home.parent, expected(corpus, processors, bits), to_make / total)
    _lay_out(corpus, home)  # nothing is left behind where it is refused
    for processor in processors:
        _describe(home / processor.digest, processor, bits)
    clips = ClipStore(corpus, processors[0].sample_rate, keep=False)
    with (
        ThreadPoolExecutor(workers) as pool,
        bar("separating", total, "clips", progress) as advance,
    ):
        advance.skip(total - to_make)
        for shard, decoded in _decoded_ahead(clips, sorted(set().union(*missing)), pool):
            reasons = {index: clip for index, clip in enumerate(decoded) if isinstance(clip, str)}
            if strict and reasons:
                index = min(reasons)
                raise UnreadableClip(f"{corpus.clip(shard * CLIPS_PER_SHARD + index).path}: {reasons[index]}")
            for processor, shards in zip(processors, missing, strict=True):
                if shard in shards:
                    batches = _separate(processor.to(device), shard, decoded, bits, device, pool, advance)
                    write_shard(shard_file(home / processor.digest, shard), len(decoded), batches, reasons)
    return to_make, total


def _choose_home(corpus: Corpus, directory: Path, rate: int) -> Path:
    """The corpus's folder; one that an earlier version began is gone on with."""
    if (began := _home(clip_keys(corpus, by_time=True), directory, rate)).is_dir():
        logger.info(
            "%s is of an earlier version, which knew recordings by their names, sizes and times: give another folder "
            "if they were replaced since",
            began,
        )
        return began
    return _home(clip_keys(corpus), directory, rate)


def _lay_out(corpus: Corpus, home: Path) -> None:
    """Write the index of the corpus's clips, if it is not there or damaged."""
    if read_index(home / "clips.npy") is None:
        rate = int(home.name.rpartition("-")[2])
        keys = clip_keys(corpus, by_time=home != _home(clip_keys(corpus), home.parent, rate))
        rows = np.argsort(keys, kind="stable")
        with kept_whole(home / "clips.npy") as temporary, open(temporary, "wb") as sink:
            np.save(sink, np.stack([keys[rows], rows.astype(np.uint64)]))


def _home(keys: NDArray[np.uint64], directory: Path, rate: int) -> Path:
    return directory / f"{hashlib.blake2b(keys.tobytes(), digest_size=8).hexdigest()}-{rate}"


def _missing(folder: Path, clips: int) -> set[int]:
    """The shards that are not there whole. What a killed run was writing is removed, once nobody can be at it."""
    remove_unfinished(folder)
    missing = set()
    for shard in range(-(-clips // CLIPS_PER_SHARD)):
        try:
            whole = open_shard(shard_file(folder, shard)).batches.num_record_batches == len(rows_of(shard, clips))
        except (OSError, pa.ArrowException):
            whole = False
        if not whole:
            missing.add(shard)
    return missing


def _require_same_bits(folder: Path, bits: int) -> None:
    try:
        earlier = read_json(folder / "about.json")["bits"]
    except (OSError, ValueError, LookupError, TypeError):
        return  # none yet, or damaged: it is written anew
    if earlier != bits:
        raise SoundviewsError(
            f"{folder} has channels of {earlier} bits: go on with {words(f'--bits {earlier}', f'bits={earlier}')}, or "
            "choose another folder"
        )


def _describe(folder: Path, processor: Processor, bits: int) -> None:
    about = {"name": processor.name, "step": processor.step, "sources": processor.sources, "bits": bits}
    with kept_whole(folder / "about.json") as temporary:
        temporary.write_text(json.dumps(about), encoding="utf-8")


def _ensure_room(directory: Path, size: Expected, missing: float) -> None:
    """missing: share of the channels that are still to be made."""
    free = shutil.disk_usage(directory).free
    if free < missing * size.estimate:
        raise SoundviewsError(
            f"{directory} has {said_bytes(free)} free; the channels still to be made take about "
            f"{said_bytes(missing * size.estimate)} (at most {said_bytes(missing * size.most)}). "
            "Choose another folder, fewer processors, or separate while training"
        )


def _decoded_ahead(
    clips: ClipStore, shards: list[int], pool: ThreadPoolExecutor
) -> Iterator[tuple[int, list[Decoded]]]:
    """Each shard's clips; those of the next one are decoded meanwhile."""
    ahead: list[tuple[int, list[Future[Decoded]]]] = []
    for shard in shards:
        ahead.append((shard, [pool.submit(_decode, clips, row) for row in rows_of(shard, len(clips))]))
        if len(ahead) > 1:
            number, futures = ahead.pop(0)
            yield number, [future.result() for future in futures]
    for number, futures in ahead:
        yield number, [future.result() for future in futures]


def _decode(clips: ClipStore, row: int) -> Decoded:
    try:
        return clips[row]
    except UnreadableClip as error:
        return str(error)


def _separate(
    processor: Processor,
    shard: int,
    decoded: list[Decoded],
    bits: int,
    device: str,
    pool: ThreadPoolExecutor,
    advance: Callable[[int], None],
) -> dict[int, pa.RecordBatch]:
    """One batch of rows for each clip that could be read, by its index in the shard."""
    readable = [index for index, clip in enumerate(decoded) if not isinstance(clip, str)]
    advance(len(decoded) - len(readable))
    if not readable:
        return {}
    batch = pad(readable, [clip for clip in decoded if not isinstance(clip, str)])
    samples, ends, lengths = batch.samples.to(device), batch.lengths.tolist(), batch.lengths.to(device)
    futures = {}
    for part, channels in separated(processor, samples, lengths, np.arange(len(readable))):
        worst = worst_channel(channels, samples[torch.from_numpy(part).to(device)]).tolist()
        for row, separate, least in zip(part.tolist(), channels.cpu().numpy(), worst, strict=True):
            clip = shard * CLIPS_PER_SHARD + readable[row]
            arguments = (clip, separate[:, : ends[row]], least, processor.sample_rate, bits)
            futures[readable[row]] = pool.submit(compress, *arguments)
        advance(len(part))
    return {index: future.result() for index, future in futures.items()}


def _skipped(corpus: Corpus, folders: list[Path]) -> list[Skipped]:
    """Clips without channels, of this run and of earlier ones."""
    reasons = {}
    for shard in range(-(-len(corpus) // CLIPS_PER_SHARD)):
        for folder in folders:
            for index, reason in open_shard(shard_file(folder, shard)).unreadable.items():
                reasons[shard * CLIPS_PER_SHARD + int(index)] = reason
    return [*corpus.skipped, *(Skipped(corpus.clip(row).path, reason) for row, reason in sorted(reasons.items()))]
