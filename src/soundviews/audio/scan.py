"""A folder of recordings to a corpus: walk it, read the headers that are new, keep the result."""

import hashlib
import os
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from soundviews.audio.corpus import Corpus, Skipped, to_schema
from soundviews.audio.decode import EXTENSIONS
from soundviews.audio.probing import probe_all
from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.core.files import cache_directory, keep

_BLOCK = 65_536


def scan_folder(root: Path, strict: bool, workers: int | None, progress: bool) -> Corpus:
    """Every recording below `root`; the first level of sub-folders, if there are several, names the classes.

    The folder is walked each time; headers are read only of files that are new or changed since the last time.
    Names that begin with a dot are left alone: systems keep their own files there.
    """
    files, classes, skipped = _walk(root)
    if strict and skipped:
        raise UnreadableClip(f"{skipped[0].path}: {skipped[0].reason}")
    if files.num_rows == 0:
        raise SoundviewsError(f"no recordings in {root}: looked for {_looked_for()} there and in its sub-folders")
    seconds, bad = _durations(root, files, strict, workers, progress)
    skipped += bad
    readable = ~np.isnan(seconds)
    if not readable.any():
        reasons = "; ".join(f"{os.path.basename(entry.path)}: {entry.reason}" for entry in skipped[:3])
        raise SoundviewsError(f"none of the {files.num_rows} recordings in {root} can be read ({reasons})")
    labels = files["class"].to_numpy()
    columns = {name: files[name] for name in ("path", "size", "mtime")}
    columns |= {"start": np.zeros(files.num_rows), "duration": seconds}
    # One class for everything says nothing; it is only where the recordings happen to be.
    if len(classes) < 2:
        classes, labels = [], np.full(files.num_rows, -1, np.int32)
    offsets = np.concatenate([[0], np.cumsum(labels >= 0)]).astype(np.int32)
    columns["labels"] = pa.ListArray.from_arrays(offsets, pa.array(labels[labels >= 0], pa.int32()))
    table = to_schema(columns, files.num_rows)
    return Corpus(root, table if readable.all() else table.filter(pa.array(readable)), classes, skipped)


def _looked_for() -> str:
    return ", ".join(f"*{extension}" for extension in sorted(EXTENSIONS))


def _walk(root: Path) -> tuple[pa.Table, list[str], list[Skipped]]:
    """Table of path (relative to root), size, mtime, class (index or -1), sorted; names of the classes; problems."""
    schema = pa.schema([("path", pa.string()), ("size", pa.int64()), ("mtime", pa.int64()), ("class", pa.int32())])
    batches: list[pa.RecordBatch] = []
    names: list[str] = []
    sizes, times, labels = array("q"), array("q"), array("i")
    classes: list[str] = []
    skipped: list[Skipped] = []

    def flush() -> None:
        columns = (np.array(sizes, np.int64), np.array(times, np.int64), np.array(labels, np.int32))
        batches.append(pa.record_batch([pa.array(names, pa.string()), *columns], schema=schema))
        names.clear()
        for values in (sizes, times, labels):
            del values[:]

    for path, stats in recordings(root, skipped):
        relative = os.path.relpath(path, root)
        top, _, below = relative.partition(os.sep)
        if below and (not classes or classes[-1] != top):
            classes.append(top)
        names.append(relative.replace(os.sep, "/"))
        sizes.append(stats.st_size)
        times.append(stats.st_mtime_ns)
        labels.append(len(classes) - 1 if below else -1)
        if len(names) == _BLOCK:
            flush()
    flush()
    return pa.Table.from_batches(batches, schema), classes, skipped


def recordings(root: Path, skipped: list[Skipped]) -> Iterator[tuple[str, os.stat_result]]:
    """Recordings below `root`, depth first, by name; a folder linked into itself is entered once."""
    entered: set[tuple[int, int]] = set()
    folders = [str(root)]
    while folders:
        folder = folders.pop()
        try:
            stats = os.stat(folder)
            if (stats.st_dev, stats.st_ino) in entered:
                continue
            entered.add((stats.st_dev, stats.st_ino))
            with os.scandir(folder) as listing:
                entries = sorted((e for e in listing if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            skipped.append(Skipped(folder, (error.strerror or str(error)).lower()))
            continue
        folders += [entry.path for entry in reversed(entries) if entry.is_dir()]
        for entry in entries:
            if os.path.splitext(entry.name)[1].lower() not in EXTENSIONS or entry.is_dir():
                continue
            try:
                entry.name.encode()
                yield entry.path, entry.stat()
            except UnicodeEncodeError:
                skipped.append(Skipped(repr(os.fsencode(entry.path)), "its name is not valid UTF-8"))
            except OSError as error:
                skipped.append(Skipped(entry.path, (error.strerror or str(error)).lower()))


def _durations(
    root: Path, files: pa.Table, strict: bool, workers: int | None, progress: bool
) -> tuple[np.ndarray, list[Skipped]]:
    """Seconds of each file, NaN where it cannot be used; from the last scan where size and time are the same."""
    key = hashlib.blake2b(os.fsencode(root.resolve()), digest_size=12).hexdigest()
    kept = cache_directory("scans", f"{key}.arrow")
    seconds = np.full(files.num_rows, np.nan)
    last = _last_scan(kept)
    if last is not None:
        row = pc.index_in(files["path"], last["path"])
        same = pc.and_(
            pc.equal(files["size"], last["size"].take(row)), pc.equal(files["mtime"], last["mtime"].take(row))
        )
        known = pc.if_else(pc.fill_null(same, False), last["seconds"].take(row), np.nan)
        seconds = known.to_numpy().copy()
    # What failed the last time is tried again: permissions get mended, and decoders installed.
    unknown = np.flatnonzero(np.isnan(seconds))
    if len(unknown) == 0:
        return seconds, []
    names = [os.path.join(root, name) for name in files["path"].take(pa.array(unknown)).to_pylist()]
    seconds[unknown], reasons = probe_all(names, workers, progress, strict)
    table = files.select(["path", "size", "mtime"]).append_column("seconds", pa.array(seconds))

    def write(temporary: Path) -> None:
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=_BLOCK)

    keep(kept, write)
    return seconds, [Skipped(names[index], reason) for index, reason in reasons.items()]


def _last_scan(kept: Path) -> pa.Table | None:
    """What was kept, None if that is nothing; a power cut may have left a file that is none."""
    try:
        return pa.ipc.open_file(pa.memory_map(str(kept))).read_all()
    except (OSError, pa.ArrowInvalid):
        return None
