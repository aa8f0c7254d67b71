"""A folder of recordings to a corpus: walk it, open the recordings that are new, keep what is known of them."""

import os
import stat
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from soundviews.audio.corpus import Corpus, Skipped, to_schema
from soundviews.audio.decode import EXTENSIONS
from soundviews.audio.known import ABSENT, Stats, look_at, stats_row
from soundviews.audio.limits import NOT_A_FILE
from soundviews.core.errors import SoundviewsError, UnreadableClip

_BLOCK = 65_536


def scan_folder(root: Path, strict: bool, workers: int | None, progress: bool) -> Corpus:
    """Every recording below `root`; the first level of sub-folders, if there are several, names the classes.

    The folder is walked each time; only files that are new or changed since the last time are opened.
    Names that begin with a dot are left alone: systems keep their own files there.
    """
    skipped: list[Skipped] = []
    files = _walk(root, skipped)
    if strict and skipped:
        raise UnreadableClip(f"{skipped[0].path}: {skipped[0].reason}")
    rows = len(files.paths)
    if rows == 0:
        looked_for = ", ".join(f"*{extension}" for extension in sorted(EXTENSIONS))
        named = "".join(f"; {path}: {reason}" for path, reason in skipped[:1])
        raise SoundviewsError(f"no recordings in {root}: looked for {looked_for} there and in its sub-folders{named}")
    opened = look_at(root, files.paths, files.stats, True, workers, progress, strict)
    skipped += [Skipped(os.path.join(root, files.paths[index].as_py()), why) for index, why in opened.reasons.items()]
    readable = ~np.isnan(opened.seconds)
    if not readable.any():
        reasons = "; ".join(f"{os.path.basename(entry.path)}: {entry.reason}" for entry in skipped[:3])
        raise SoundviewsError(f"none of the {rows} recordings in {root} can be read ({reasons})")
    columns: dict[str, Any] = {"path": files.paths, "start": np.zeros(rows), "duration": opened.seconds}
    columns["content"] = opened.contents
    # One class for everything says nothing; it is only where the recordings happen to be.
    classes = files.classes if len(files.classes) > 1 else []
    labels = files.labels if classes else np.full(rows, -1, np.int32)
    offsets = np.concatenate([[0], np.cumsum(labels >= 0)]).astype(np.int32)
    columns["labels"] = pa.ListArray.from_arrays(offsets, pa.array(labels[labels >= 0], pa.int32()))
    table = to_schema(columns, rows)
    return Corpus(root, table if readable.all() else table.filter(pa.array(readable)), classes, skipped)


class _Files(NamedTuple):
    """paths: from the root, sorted; labels: (files,) index of each one's class, or -1."""

    paths: pa.ChunkedArray
    stats: Stats
    labels: npt.NDArray[np.int32]
    classes: list[str]


def _walk(root: Path, skipped: list[Skipped]) -> _Files:
    names: list[str] = []
    blocks: list[pa.Array] = []
    labels, numbers = array("i"), array("q")
    classes: list[str] = []
    for path, stats in recordings(root, skipped):
        relative = os.path.relpath(path, root)
        top, _, below = relative.partition(os.sep)
        if below and (not classes or classes[-1] != top):
            classes.append(top)
        names.append(relative.replace(os.sep, "/"))
        numbers.extend(stats_row(stats))
        labels.append(len(classes) - 1 if below else -1)
        if len(names) == _BLOCK:
            blocks.append(pa.array(names, pa.string()))
            names.clear()
    paths = pa.chunked_array([*blocks, pa.array(names, pa.string())])
    rows = np.array(numbers, np.int64).reshape(len(paths), len(ABSENT))
    return _Files(paths, rows, np.array(labels, np.int32), classes)


def recordings(root: Path, skipped: list[Skipped]) -> Iterator[tuple[str, os.stat_result]]:
    """Recordings below `root`, depth first, by name; a folder linked into itself is entered once.

    What cannot be looked at, and what has a recording's name and is no file (a pipe, a device), joins `skipped`.
    """
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
            skipped.append(Skipped(folder, _said(error)))
            continue
        below = []
        for entry in entries:
            if _is_folder(entry, skipped):
                below.append(entry.path)
            elif os.path.splitext(entry.name)[1].lower() in EXTENSIONS and (looked := _stats(entry, skipped)):
                yield entry.path, looked
        folders += reversed(below)


def _is_folder(entry: "os.DirEntry[str]", skipped: list[Skipped]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:  # a link onto itself; one with a recording's name is named where that is looked at
        if os.path.splitext(entry.name)[1].lower() not in EXTENSIONS:
            skipped.append(Skipped(entry.path, _said(error)))
        return False


def _stats(entry: "os.DirEntry[str]", skipped: list[Skipped]) -> os.stat_result | None:
    try:
        entry.name.encode()
        stats = os.stat(entry.path)  # Windows' entry.stat() has no inode
    except UnicodeEncodeError:
        skipped.append(Skipped(repr(os.fsencode(entry.path)), "its name is not valid UTF-8"))
    except OSError as error:
        skipped.append(Skipped(entry.path, _said(error)))
    else:
        if stat.S_ISREG(stats.st_mode):
            return stats
        skipped.append(Skipped(entry.path, NOT_A_FILE))
    return None


def _said(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
