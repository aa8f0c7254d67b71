"""AudioSet: two million stretches of 10 s of videos, several labels of 527 each (Gemmeke et al. 2017).

Layout: {balanced_train,eval,unbalanced_train}_segments.csv, any of them, and class_labels_indices.csv, in the folder or
its metadata/; and recordings, each one segment, anywhere below it and in any format, named by their video: YTID.wav,
YYTID.wav, YTID_30.000.wav, YTID_30.000_40.000.wav.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from soundviews.audio.corpus import SCHEMA, Corpus, Skipped, to_schema
from soundviews.audio.scan import recordings
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.origin import Origin
from soundviews.datasets.registry import datasets
from soundviews.datasets.table import numbered_rows

SPLITS = ("balanced_train", "unbalanced_train", "eval")
CLASSES = "class_labels_indices.csv"
_NAME = re.compile(r"Y?([\w-]{11})(?:[_-][\d._-]+)?", re.ASCII)
_BLOCK = 65_536
_NAMED = 3  # of what is missing


@datasets.register("audioset")
class AudioSet:
    """Several labels a clip, by their display names in the official order; split is that of the segments' file.

    Videos disappear, so much is always missing: that is counted for each file of segments, and the first are named.
    """

    origin = Origin(
        about="AudioSet: 2,084,320 segments of 10 s of videos, 527 classes (Gemmeke et al.)",
        licence="labels CC BY 4.0; the recordings belong to those who published the videos",
        instructions=(
            "1. Download class_labels_indices.csv, balanced_train_segments.csv, eval_segments.csv (and, for training "
            "encoders, unbalanced_train_segments.csv) from https://research.google.com/audioset/download.html\n"
            "2. The recordings are not distributed: cut the segments out of the videos yourself, or take a copy of "
            "what others could still get. One recording a segment, named YTID.wav (or YYTID.wav, YTID_START.wav, "
            "YTID_START_END.wav; any format), anywhere in the folder that holds the tables."
        ),
    )
    published: ClassVar[dict[str, int]] = {
        "balanced_train": 22_160,
        "eval": 20_371,
        "unbalanced_train": 2_041_789,
        "classes": 527,
    }

    @staticmethod
    def matches(root: Path) -> bool:
        return any(_segments(root, split).is_file() for split in SPLITS)

    @staticmethod
    def read(root: Path) -> Corpus:
        """The segments whose recording is there, of the files of segments that are there.

        Raises:
            SoundviewsError: A table cannot be understood or names another class, or none of the recordings is there.
        """
        vocabulary, index = _classes(_table(root, CLASSES))
        missing: list[Skipped] = []
        skipped: list[Skipped] = []
        files = _recordings(root, skipped)
        paths = {split: path for split in SPLITS if (path := _segments(root, split)).is_file()}
        tables = [_there(path, split, index, files, missing) for split, path in paths.items()]
        table = pa.concat_tables(tables)
        if table.num_rows == 0:
            reasons = "; ".join(f"{skip.path}: {skip.reason}" for skip in missing)
            raise SoundviewsError(f"none of AudioSet's recordings is in {root} ({reasons or 'no segments are listed'})")
        return Corpus(root, table, vocabulary, [*missing, *skipped])


def _table(root: Path, name: str) -> Path:
    inside = root / "metadata" / name
    return inside if inside.is_file() else root / name


def _segments(root: Path, split: str) -> Path:
    return _table(root, f"{split}_segments.csv")


def _classes(path: Path) -> tuple[list[str], dict[str, int]]:
    """Display names in the order of their official indices, and the place of each class's MID in it."""
    rows = list(numbered_rows(path, ("index", "mid", "display_name")))
    for line, row in rows:
        if not row["index"].strip().isdigit():
            raise SoundviewsError(f"{path}, line {line}: index must be a whole number, it is {row['index']!r}")
    rows.sort(key=lambda numbered: int(numbered[1]["index"]))
    return [row["display_name"] for _, row in rows], {row["mid"]: place for place, (_, row) in enumerate(rows)}


def video_of(path: str) -> str | None:
    """The video that a recording is named by, wherever it lies; None if it is named otherwise."""
    match = _NAME.fullmatch(Path(path).stem)
    return match[1] if match else None


def _recordings(root: Path, skipped: list[Skipped]) -> pa.Table:
    """Columns video and path (relative to the root) of what is named like a segment; one a video."""
    videos: list[str] = []
    paths: list[str] = []
    blocks = []
    for path, _ in recordings(root, skipped):
        relative = path[len(str(root)) + 1 :]
        if video := video_of(relative):
            videos.append(video)
            paths.append(relative)
        if len(videos) == _BLOCK:
            blocks.append(_files(videos, paths))
            videos, paths = [], []
    return pa.concat_tables([*blocks, _files(videos, paths)]).combine_chunks()


def _files(videos: list[str], paths: list[str]) -> pa.Table:
    return pa.table({"video": pa.array(videos, pa.string()), "path": pa.array(paths, pa.string())})


def _read(path: Path, index: dict[str, int]) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Videos of a file of segments, and the classes of each."""
    kinds = pa.string(), SCHEMA.field("labels").type
    chunks = [
        [pa.array(values, kind) for values, kind in zip(block, kinds, strict=True)] for block in _blocks(path, index)
    ]
    videos, labels = zip(*chunks, strict=True) if chunks else ((), ())
    return pa.chunked_array(videos, kinds[0]), pa.chunked_array(labels, kinds[1])


def _blocks(path: Path, index: dict[str, int]) -> Iterator[tuple[list[str], list[list[int]]]]:
    """Videos of a file of segments and the classes of each, a block at a time."""
    videos: list[str] = []
    labels: list[list[int]] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file, skipinitialspace=True)
            for row in rows:
                if not row or row[0].startswith("#") or row[0] == "YTID":
                    continue
                if len(row) != 4:
                    raise SoundviewsError(
                        f"{path}, line {rows.line_num}: {len(row)} fields; expected YTID, start, end and quoted labels"
                    )
                videos.append(row[0])
                try:
                    labels.append(sorted({index[mid.strip()] for mid in row[3].split(",")}))
                except KeyError as error:
                    raise SoundviewsError(f"{path}, line {rows.line_num}: {CLASSES} has no class {error}") from error
                if len(videos) == _BLOCK:
                    yield videos, labels
                    videos, labels = [], []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SoundviewsError(f"cannot read {path}: {error}") from error
    if videos:
        yield videos, labels


def _there(path: Path, split: str, index: dict[str, int], files: pa.Table, missing: list[Skipped]) -> pa.Table:
    """The segments of one file that have a recording, to the corpus's columns; the others are counted in `missing`.

    They are not named one by one: two million names would fill the memory.
    """
    videos, labels = _read(path, index)
    place = pc.index_in(videos, files["video"].combine_chunks())
    there = place.is_valid()
    found = files.take(place.drop_null())
    if absent := len(videos) - found.num_rows:
        first = videos.filter(pc.invert(there)).slice(0, _NAMED).to_pylist()
        names = ", ".join(first) + (", ..." if absent > len(first) else "")
        missing.append(Skipped(str(path), f"{absent:,} of its {len(videos):,} segments have no recording: {names}"))
    columns = {
        "path": found["path"],
        "start": np.zeros(found.num_rows),
        "labels": labels.filter(there),
        "split": [split] * found.num_rows,
    }
    return to_schema(columns, found.num_rows)
