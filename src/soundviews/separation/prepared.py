"""Separated channels that `soundviews prepare` has kept, read a clip at a time.

    DIR/<clips>-<Hz>/clips.npy              (2, clips) uint64: the keys of the clips, sorted, and the row of each
    DIR/<clips>-<Hz>/<digest>/about.json    the processor with that digest, and the bits of a sample
    DIR/<clips>-<Hz>/<digest>/0000012.arrow rows 768 to 831: one record batch a clip, one row a channel

A clip is found by its key, which comes from the recording's path below the corpus and content, and from where the clip
begins and ends: any part of a prepared corpus finds its clips, wherever the corpus and DIR lie by now. Directories of
earlier versions have the recording's size and time in place of its content, and are still read and added to.
"""

import hashlib
import os
import shlex
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundviews.audio.corpus import Corpus
from soundviews.audio.known import file_stats
from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.separation.channel_shards import CLIPS_PER_SHARD, Shard, decompress, open_shard, shard_file
from soundviews.separation.draw import Wanted
from soundviews.separation.processor import Processor

_BLOCK = 65_536
_OPEN_SHARDS = 8


def clip_keys(corpus: Corpus, by_time: bool = False) -> NDArray[np.uint64]:
    """(clips,) what a clip is known by in a prepared directory. Times count to 1 ms.

    Args:
        by_time: As earlier versions had it: by the file's size and time (to 1 s) in place of its content.
    """
    told_apart = _sizes_and_times(corpus) if by_time else corpus.contents()
    keys = np.empty(len(corpus), np.uint64)
    for first in range(0, len(corpus), _BLOCK):
        block = corpus.table.slice(first, _BLOCK)
        times = np.stack([block[name].to_numpy() for name in ("start", "end")], axis=1)
        milliseconds = np.rint(np.nan_to_num(times, nan=-1.0) * 1000).astype(np.int64).tolist()
        rows = zip(block["path"].to_pylist(), milliseconds, told_apart[first : first + _BLOCK], strict=True)
        for row, (name, span, file) in enumerate(rows, start=first):
            keys[row] = int.from_bytes(hashlib.blake2b(f"{name}\0{span}{file}".encode(), digest_size=8).digest())
    return keys


def _sizes_and_times(corpus: Corpus) -> list[str]:
    seen: dict[str, str] = {}
    for name in (names := corpus.table["path"].to_pylist()):
        if name not in seen:
            size, mtime = file_stats(os.path.join(corpus.root, name))[:2]
            seen[name] = f"{size} {mtime // 10**9}"
    return [seen[name] for name in names]


class PreparedChannels:
    """The channels of a corpus's clips by several processors.

    Args:
        directory: What `soundviews prepare` wrote.
        corpus: Cut into clips as it was when it was prepared, or a part of that.
        processors: Whose channels; `read` counts in them. Their networks are not used.

    Raises:
        SoundviewsError: not all of it is there; says what is missing and the command that makes it.
    """

    def __init__(self, directory: Path, corpus: Corpus, processors: Sequence[Processor]) -> None:
        self.corpus = corpus.looked_at()
        self.names = [processor.name for processor in processors]
        self.sources = np.array([processor.sources for processor in processors])
        self._home, self._by_time = _find(directory, self.corpus, processors)
        self._folders = [self._home / processor.digest for processor in processors]
        self._clips: NDArray[np.uint64] | None = None
        self._shards: OrderedDict[tuple[int, int], Shard] = OrderedDict()

    def read(self, processor: int, channel: int, row: int) -> NDArray[np.float32]:
        """(samples,) of one channel of clip `row` of the corpus.

        Raises:
            UnreadableClip: it could not be read when it was prepared, or what was kept of it is damaged.
        """
        return decompress(self._clip(processor, row), channel)

    def worst(self, processor: int, row: int) -> int:
        """The channel with the least of the mixture in it; errors as of `read`."""
        worst: int = self._clip(processor, row)["worst"][0].as_py()
        return worst

    def _clip(self, processor: int, row: int) -> pa.RecordBatch:
        if self._clips is None:
            self._clips = np.load(self._home / "clips.npy", mmap_mode="r")
        key = clip_keys(Corpus(self.corpus.root, self.corpus.table.slice(row, 1), []), self._by_time)[0]
        column = int(np.searchsorted(self._clips[0], key))
        if column == self._clips.shape[1] or self._clips[0, column] != key:
            raise UnreadableClip("changed since its channels were separated")
        number, index = divmod(int(self._clips[1, column]), CLIPS_PER_SHARD)
        try:
            shard = self._shard(processor, number)
            batch = shard.batches.get_batch(index)
        except (OSError, pa.ArrowException) as error:
            raise UnreadableClip("its separated channels are missing or damaged") from error
        if batch.num_rows == 0:
            raise UnreadableClip(shard.unreadable.get(str(index), "it could not be read when it was prepared"))
        return batch

    def _shard(self, processor: int, number: int) -> Shard:
        key = processor, number
        if key not in self._shards:
            self._shards[key] = open_shard(shard_file(self._folders[processor], number))
            if len(self._shards) > _OPEN_SHARDS:
                self._shards.popitem(last=False)
        self._shards.move_to_end(key)
        return self._shards[key]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_clips": None, "_shards": OrderedDict()}


@dataclass(frozen=True)
class DrawnChannels:
    """Prepared channels as a `ChannelSource`. draw: (step, rank, batch) -> what each block is to hold."""

    prepared: PreparedChannels
    draw: Callable[[int, int, int], list[Wanted]]

    def wanted(self, step: int, rank: int, batch: int) -> list[Wanted]:
        return self.draw(step, rank, batch)

    def read(self, wanted: Wanted, example: int, row: int) -> NDArray[np.float32] | None:
        single = wanted.of(np.array([example]))
        processor = int(single.processor[0])
        worst = self.prepared.worst(processor, row) if wanted.discard_worst else 0
        channel = int(single.channel(self.prepared.sources[single.processor], np.array([worst]))[0])
        return None if channel < 0 else self.prepared.read(processor, channel, row)


def read_index(file: Path) -> NDArray[np.uint64] | None:
    """The keys of the clips and the rows they have, (2, clips); None where that is damaged. The folder is named by the
    keys in the order of the rows."""
    try:
        index: NDArray[np.uint64] = np.load(file, mmap_mode="r")
        keys = np.empty(index.shape[1], np.uint64)
        keys[index[1]] = index[0]
    except Exception:  # NumPy reads the header as Python, which fails in many ways
        return None
    name = hashlib.blake2b(keys.tobytes(), digest_size=8).hexdigest()
    return index if file.parent.name.startswith(f"{name}-") else None


def _find(directory: Path, corpus: Corpus, processors: Sequence[Processor]) -> tuple[Path, bool]:
    """The folder in which every clip of the corpus has its channels, and whether its keys are `by_time`."""
    rate, problems = processors[0].sample_rate, []
    kinds = {by_time: clip_keys(corpus, by_time) for by_time in (False, True)}
    for index, (by_time, keys) in product(sorted(directory.glob(f"*-{rate}/clips.npy")), kinds.items()):
        if (kept := read_index(index)) is None:
            problems.append((len(keys), f"every clip: {index} is damaged"))
            continue
        known, rows = kept
        columns = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        absent = int(np.count_nonzero(known[columns] != keys))
        if absent:
            problems.append((absent, f"{absent:,} of the {len(keys):,} clips (new, changed or cut otherwise)"))
            continue
        shards = np.unique(rows[columns] // CLIPS_PER_SHARD).tolist()
        lacking = [said for processor in processors if (said := _lacking(index.parent, processor, shards))]
        if not lacking:
            return index.parent, by_time
        problems.append((0, "; ".join(lacking)))
    missing = min(problems)[1] if problems else f"every clip at {rate} Hz"
    names = ",".join(processor.name for processor in processors)
    raise SoundviewsError(
        f"{directory} lacks the channels of {missing}. The command that makes what is missing: "
        f"soundviews prepare CORPUS --separator RUN --processors {shlex.quote(names)} --channels {directory}"
    )


def _lacking(home: Path, processor: Processor, shards: list[int]) -> str | None:
    """What is missing of one processor's channels."""
    folder = home / processor.digest
    names = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
    missing = sum(shard_file(folder, shard).name not in names for shard in shards)
    if not missing:
        return None
    return f"processor {processor.name} ({processor.digest}) for {missing:,} of {len(shards):,} shards"
