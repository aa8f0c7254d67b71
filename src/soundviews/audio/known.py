"""What is known of the recordings below a folder, kept so that none is opened a second time.

A recording's length and content are known as long as its device, inode, size, time of last change and time of last
change of anything (ctime) are those of the last look: all of them from one `stat`. Nobody can set ctime back, so a file
that is changed and given its old time (`touch -r`, `cp -p`) is looked at again. Windows has the time of creation in its
place: there a file that is changed, not replaced, at equal size and given its old time passes for known.
"""

import hashlib
import os
import stat
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from soundviews.audio.content import UNREADABLE
from soundviews.audio.probing import Opened, Wanted, open_all, thread_pool
from soundviews.core.caches import cache_directory, discard, keep

_STATS = ("size", "mtime", "ctime", "device", "inode")
_SCHEMA = pa.schema(
    [
        ("path", pa.string()),  # from the folder, or absolute
        *((name, pa.int64()) for name in _STATS),
        ("seconds", pa.float64()),  # NaN where it was not asked for, or cannot be read
        ("content", pa.int64()),
    ]
)
ABSENT = (-1,) * len(_STATS)
_BLOCK = 65_536
_CHECKSUM = struct.Struct("<I")  # CRC-32 of the table, behind it
_PER_JOB = 1024

Stats = npt.NDArray[np.int64]
"""(files, 5): size in bytes, mtime and ctime in nanoseconds, device, inode; -1 where there is no regular file."""


def stats_row(stats: os.stat_result) -> tuple[int, ...]:
    """One row of `Stats`. Windows has longer numbers for devices and inodes than a column takes."""
    if not stat.S_ISREG(stats.st_mode):
        return ABSENT
    largest = np.iinfo(np.int64).max
    return stats.st_size, stats.st_mtime_ns, stats.st_ctime_ns, stats.st_dev & largest, stats.st_ino & largest


def file_stats(path: str) -> tuple[int, ...]:
    """One row of `Stats`."""
    try:
        return stats_row(os.stat(path))
    except (OSError, ValueError):  # a path with a zero byte is a ValueError
        return ABSENT


def look_at(
    root: str | Path,
    paths: pa.Array | pa.ChunkedArray,
    stats: Stats | None = None,
    headers: bool = True,
    workers: int | None = None,
    progress: bool = True,
    strict: bool = False,
) -> Opened:
    """What is known of recordings; those that are new or changed since the last look are opened.

    Args:
        root: Folder that relative paths start from.
        paths: Each once.
        stats: Where they were looked up already.
        headers: Whether the lengths are wanted, too.

    Raises:
        UnreadableClip: with `strict`, the first whose header cannot be used, with its path.
    """
    stats = _all_stats(root, paths, workers) if stats is None else stats
    kept = cache_directory("scans", f"{_key(root)}.known")
    seconds, contents = _from_last_time(kept, paths, stats)
    # What failed the last time is tried again: permissions get mended, and decoders installed.
    hashed = (contents == UNREADABLE) & (stats[:, 0] >= 0)
    rows = np.flatnonzero(hashed | np.isnan(seconds) if headers else hashed)
    if len(rows) == 0:
        return Opened(seconds, contents, {})
    names = [os.path.join(root, name) for name in paths.take(pa.array(rows)).to_pylist()]
    probed = np.isnan(seconds[rows]) & headers
    sizes = [tuple(pair) if new else None for pair, new in zip(stats[rows, :2].tolist(), hashed[rows], strict=True)]
    opened = open_all(list(map(Wanted, names, probed.tolist(), sizes)), workers, progress, strict)
    seconds[rows[probed]] = opened.seconds[probed]
    contents[rows[hashed[rows]]] = opened.contents[hashed[rows]]
    if opened.contents.any() or np.isfinite(opened.seconds).any():
        _keep(kept, paths, stats, seconds, contents)
    return Opened(seconds, contents, {int(rows[index]): reason for index, reason in opened.reasons.items()})


def _key(root: str | Path) -> str:
    return hashlib.blake2b(os.fsencode(os.path.realpath(root)), digest_size=12).hexdigest()


def _all_stats(root: str | Path, paths: pa.Array | pa.ChunkedArray, workers: int | None) -> Stats:
    def block(first: int) -> list[tuple[int, ...]]:
        return [file_stats(os.path.join(root, name)) for name in paths.slice(first, _PER_JOB).to_pylist()]

    with thread_pool(workers) as pool:
        rows = [np.array(part, np.int64) for part in pool.map(block, range(0, len(paths), _PER_JOB))]
    return np.concatenate([np.empty((0, len(_STATS)), np.int64), *rows])


def _from_last_time(
    kept: Path, paths: pa.Array | pa.ChunkedArray, stats: Stats
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Seconds and contents of the files that are as they were; NaN and UNREADABLE of the others."""
    seconds, contents = np.full(len(paths), np.nan), np.full(len(paths), UNREADABLE)
    last = _last(kept)
    if last is None:
        return seconds, contents
    row = pc.fill_null(pc.index_in(paths, last["path"]), -1).to_numpy().astype(np.int64)
    known = np.flatnonzero((row >= 0) & (stats[:, 0] >= 0))
    for column, name in enumerate(_STATS):
        known = known[last[name].to_numpy()[row[known]] == stats[known, column]]
    seconds[known] = last["seconds"].to_numpy()[row[known]]
    contents[known] = last["content"].to_numpy()[row[known]]
    return seconds, contents


def _last(kept: Path) -> pa.Table | None:
    """What was kept; None if that is nothing, or damaged."""
    if not os.path.exists(kept):
        return None
    try:
        with pa.memory_map(str(kept)) as file:
            data = file.read_buffer()
        end = max(0, data.size - _CHECKSUM.size)
        if _CHECKSUM.pack(zlib.crc32(data.slice(0, end))) != data.slice(end).to_pybytes():
            raise ValueError("it does not fit its checksum")
        return pa.ipc.open_file(data.slice(0, end)).read_all()
    except (OSError, ValueError) as error:
        discard(kept, error)
        return None


def _keep(
    kept: Path,
    paths: pa.Array | pa.ChunkedArray,
    stats: Stats,
    seconds: npt.NDArray[np.float64],
    contents: npt.NDArray[np.int64],
) -> None:
    """Keep what is known of these files, beside what is known of others below the folder."""
    numbers = [pa.array(column) for column in (*stats.T, seconds, contents)]
    tables = [pa.table([paths, *numbers], schema=_SCHEMA).filter(pa.array(contents != UNREADABLE))]
    last = _last(kept)
    if last is not None:
        tables.append(last.filter(pc.invert(pc.is_in(last["path"], paths))))
    del last  # Windows replaces no file that is mapped

    def write(temporary: Path) -> None:
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
            for table in tables:
                writer.write_table(table, max_chunksize=_BLOCK)
        with pa.memory_map(str(temporary)) as file:
            checksum = zlib.crc32(file.read_buffer())
        with open(temporary, "ab") as end:
            end.write(_CHECKSUM.pack(checksum))

    keep(kept, write)
