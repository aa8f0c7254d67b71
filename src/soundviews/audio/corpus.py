"""Many clips with what is known of them, as columns: three million rows fit where three million objects would not.

A corpus lives in a pyarrow table, memory-mapped from an Arrow IPC file where it is large, so that opening it reads
little and loader workers share its pages.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from soundviews.audio.decode import read
from soundviews.audio.known import file_stats, look_at
from soundviews.core.caches import cache_directory, discard, keep
from soundviews.core.errors import SoundviewsError
from soundviews.core.files import written_whole

SCHEMA = pa.schema(
    [
        ("path", pa.string()),  # relative to the root, or absolute
        ("start", pa.float64()),  # seconds
        ("end", pa.float64()),  # seconds; null is the end of the recording
        ("duration", pa.float64()),  # of the whole recording, seconds; null is not probed
        ("labels", pa.list_(pa.int32())),  # indices into the vocabulary
        ("fold", pa.int32()),
        ("split", pa.string()),
        ("content", pa.int64()),  # of the recording, as `content_of` has it; null is not looked at yet
    ]
)
LEAST_SHARE, LEAST_SECONDS = (
    0.05,
    0.1,
)  # of a clip: what is left of a longer recording is a clip of its own from here on
# Below this a corpus is pickled by value; above it by the path of an IPC file.
_LARGE = 100_000
_BLOCK = 65_536


class Clip(NamedTuple):
    """One row: where its samples are, and what is known of it. Times in seconds; `end` None is the file's end."""

    path: str
    start: float
    end: float | None
    labels: tuple[int, ...]
    fold: int | None
    split: str | None

    @property
    def duration(self) -> float | None:
        """Seconds; None up to the end of a recording."""
        return None if self.end is None else self.end - self.start


class Skipped(NamedTuple):
    """What was left out of a corpus, and why."""

    path: str
    reason: str


class Corpus:
    """Clips by number, 0 .. len - 1.

    Attributes:
        root: folder that relative paths start from.
        table: one row a clip, columns as in SCHEMA.
        vocabulary: names of the classes, in the order of the label indices.
        skipped: what was left out.
        on_disk: whether the clips are recordings, which are kept once they are decoded.
    """

    on_disk = True
    _contents: npt.NDArray[np.int64] | None = None

    def __init__(
        self, root: str | Path, table: pa.Table, vocabulary: Sequence[str], skipped: Sequence[Skipped] = ()
    ) -> None:
        self.root, self.table = str(root), table
        self.vocabulary, self.skipped = list(vocabulary), list(skipped)

    @classmethod
    def from_columns(
        cls,
        root: str | Path,
        paths: Sequence[str],
        starts: Sequence[float] | None = None,
        ends: Sequence[float | None] | None = None,
        durations: Sequence[float | None] | None = None,
        labels: Sequence[Sequence[str]] | None = None,
        folds: Sequence[int | None] | None = None,
        splits: Sequence[str | None] | None = None,
        vocabulary: Sequence[str] | None = None,
        skipped: Sequence[Skipped] = (),
    ) -> "Corpus":
        """A corpus from one sequence a column, each as long as `paths`.

        Args:
            labels: the names of each clip's classes, none or several.
            vocabulary: order of the classes; by default their names sorted.
        """
        given = {"start": starts, "end": ends, "duration": durations, "fold": folds, "split": splits}
        names = labels if labels is not None else [()] * len(paths)
        for column in (*given.values(), names):
            if column is not None and len(column) != len(paths):
                raise ValueError(f"a column has {len(column)} rows, the paths have {len(paths)}")
        known = list(vocabulary) if vocabulary is not None else sorted({name for row in names for name in row})
        index = {name: number for number, name in enumerate(known)}
        columns: dict[str, Any] = {"path": paths, **{k: v for k, v in given.items() if v is not None}}
        columns.setdefault("start", np.zeros(len(paths)))
        columns["labels"] = [sorted({index[name] for name in row}) for row in names]
        return cls(root, to_schema(columns, len(paths)), known, skipped)

    def __len__(self) -> int:
        return self.table.num_rows

    def __repr__(self) -> str:
        return f"Corpus({len(self)} clips, {len(self.vocabulary)} classes, root={self.root!r})"

    def clip(self, index: int) -> Clip:
        """Row `index`, with an absolute path."""
        path, start, end, labels, fold, split = (
            self.table[name][int(index)].as_py() for name in ("path", "start", "end", "labels", "fold", "split")
        )
        return Clip(os.path.join(self.root, path), start, end, tuple(sorted(labels or ())), fold, split)

    def read(self, index: int, sample_rate: int) -> npt.NDArray[np.float32]:
        """Clip `index` as (samples,) at `sample_rate` Hz.

        Raises:
            UnreadableClip: the reason, without the path.
        """
        clip = self.clip(index)
        return read(clip.path, clip.start, clip.duration, sample_rate)

    def relative(self, path: str) -> str:
        """A recording's path from the root, with "/" on every system, so that it stays true where the root is moved."""
        return os.path.relpath(path, self.root).replace(os.sep, "/") if os.path.isabs(path) else path

    def select(self, rows: npt.ArrayLike) -> "Corpus":
        """The clips at `rows`: indices, in their order, or a mask of one bool for each clip."""
        chosen = np.asarray(rows)
        if chosen.dtype == bool:
            if chosen.shape != (len(self),):
                raise ValueError(f"a mask of shape {chosen.shape} for {len(self)} clips")
            chosen = np.flatnonzero(chosen)
        return self._with(self.table.take(pa.array(chosen.astype(np.int64))))

    def where(self, folds: Sequence[int] | None = None, split: str | Sequence[str] | None = None) -> "Corpus":
        """The clips in any of `folds` and, if given, in (any of) `split`."""
        mask = np.ones(len(self), bool)
        if folds is not None:
            mask &= self._is_in("fold", [int(fold) for fold in folds])
        if split is not None:
            mask &= self._is_in("split", [split] if isinstance(split, str) else list(split))
        return self.select(mask)

    def _is_in(self, column: str, values: list[Any]) -> npt.NDArray[np.bool_]:
        wanted = pa.array(values, SCHEMA.field(column).type)
        mask: npt.NDArray[np.bool_] = pc.is_in(self.table[column], wanted).to_numpy()
        return mask

    @property
    def single_label(self) -> bool:
        """Whether every clip has exactly one class."""
        return bool(self.vocabulary) and bool((self._label_counts() == 1).all())

    def targets(self) -> npt.NDArray[np.int64]:
        """(clips,) the class of each clip.

        Raises:
            SoundviewsError: a clip has no class or several.
        """
        counts = self._label_counts()
        if not (counts == 1).all():
            bad = int(np.flatnonzero(counts != 1)[0])
            raise SoundviewsError(
                f"one class a clip is needed, {self.clip(bad).path} has {counts[bad]} "
                f"({(counts != 1).sum()} of {len(self)} clips do not have exactly one)"
            )
        return self._label_indices().astype(np.int64)

    def label_matrix(self) -> npt.NDArray[np.bool_]:
        """(clips, classes) True where the clip has the class."""
        matrix = np.zeros((len(self), len(self.vocabulary)), bool)
        matrix[np.repeat(np.arange(len(self)), self._label_counts()), self._label_indices()] = True
        return matrix

    def _label_counts(self) -> npt.NDArray[np.int64]:
        counts = pc.fill_null(pc.list_value_length(self.table["labels"]), 0)
        result: npt.NDArray[np.int64] = counts.to_numpy().astype(np.int64)
        return result

    def _label_indices(self) -> npt.NDArray[np.int32]:
        indices: npt.NDArray[np.int32] = pc.list_flatten(self.table["labels"]).to_numpy()
        return indices

    def column(self, name: str) -> npt.NDArray[Any]:
        """A numeric column as an array, null as NaN."""
        values: npt.NDArray[Any] = self.table[name].to_numpy()
        return values

    def recording_seconds(
        self, workers: int | None = None, progress: bool = True
    ) -> tuple[npt.NDArray[np.float64], list[Skipped]]:
        """(clips,) length of each clip's whole recording, NaN where it cannot be read, and those recordings.

        Headers not read yet are read in parallel, and what they say is kept.
        """
        if self.table["duration"].null_count == 0:
            return self.column("duration"), []
        files, row = self._files()
        opened = look_at(self.root, files, workers=workers, progress=progress)
        self._contents = opened.contents[row]
        bad = [Skipped(os.path.join(self.root, files[index].as_py()), why) for index, why in opened.reasons.items()]
        return opened.seconds[row], bad

    def with_durations(self, workers: int | None = None, progress: bool = True) -> "Corpus":
        """The same clips with the length of every recording known.

        Recordings that cannot be read leave the corpus and join `skipped`.
        """
        if self.table["duration"].null_count == 0:
            return self
        seconds, bad = self.recording_seconds(workers, progress)
        table = _with_column(self.table, "duration", seconds)
        readable = table.filter(pa.array(~np.isnan(seconds)))
        return Corpus(self.root, readable, self.vocabulary, [*self.skipped, *bad])

    def cut(self, seconds: float, min_seconds: float | None = None) -> "Corpus":
        """Clips of at most `seconds`: a longer one becomes several consecutive ones.

        A last piece shorter than `min_seconds` is left out. Clips that are short enough stay as they are.

        Args:
            min_seconds: None is a twentieth of `seconds` and at least 0.1 s, for recordings meant to be of 10 s are
                often of 10.15 s.
        """
        if seconds <= 0:
            raise ValueError(f"seconds must be positive, not {seconds}")
        known = self.with_durations()
        start, duration = known.column("start"), known.column("duration")
        end = np.fmin(np.where(np.isnan(known.column("end")), duration, known.column("end")), duration)
        length = end - start
        whole = np.floor(length / seconds + 1e-9).astype(np.int64)
        if min_seconds is None:
            min_seconds = max(LEAST_SHARE * seconds, LEAST_SECONDS)
        pieces = np.maximum(whole + (length - whole * seconds >= min_seconds), 1)
        row = np.repeat(np.arange(len(known)), pieces)
        piece = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        new_start = start[row] + piece * seconds
        new_end = np.minimum(new_start + seconds, end[row])
        as_it_was = (length <= seconds)[row]
        new_end[as_it_was] = known.column("end")[row][as_it_was]
        table = known.table.take(pa.array(row))
        for name, values in (("start", new_start), ("end", new_end)):
            table = _with_column(table, name, values)
        return known._with(table)

    def contents(self) -> npt.NDArray[np.int64]:
        """(clips,) what tells each clip's recording from others by its content, 0 where it cannot be read.

        Recordings never looked at are looked at now; they are opened where they are new or have changed.
        """
        if self.table["content"].null_count == 0:
            return self.column("content")
        if self._contents is None:
            files, row = self._files()
            self._contents = look_at(self.root, files, headers=False).contents[row]
        return self._contents

    def looked_at(self) -> "Corpus":
        """The same clips, with their contents in the table: selections and copies of it look at no recording."""
        return self._with(_with_column(self.table, "content", self.contents()))

    def _files(self) -> tuple[pa.Array, npt.NDArray[np.int64]]:
        """Each recording's path once, and the index of each clip's."""
        files = pc.unique(self.table["path"])
        return files, pc.index_in(self.table["path"], files).to_numpy()

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the rows and of the content of their recordings; the same wherever the folder lies."""
        return self._hash(self.contents().reshape(-1, 1))

    def is_known_as(self, fingerprint: str) -> bool:
        """Whether a fingerprint is of these clips, also one that an earlier version made of files' sizes and times."""
        return fingerprint == self.fingerprint or fingerprint == self._fingerprint_by_time()

    def _fingerprint_by_time(self) -> str:
        files, row = self._files()
        stats = [file_stats(os.path.join(self.root, name))[:2] for name in files.to_pylist()]
        return self._hash(np.array(stats, np.int64).reshape(-1, 2)[row])

    def _hash(self, files: npt.NDArray[np.int64]) -> str:
        """Hash of the rows; files: (clips, n) what tells each clip's recording from others."""
        digest = hashlib.blake2b(json.dumps(self.vocabulary).encode(), digest_size=16)
        for first in range(0, len(self), _BLOCK):  # they do not depend on how the table is stored
            block = self.table.slice(first, _BLOCK).combine_chunks().to_batches()[0]
            names = block["path"].to_pylist()
            digest.update("\0".join(names).encode())
            for column in ("start", "end", "fold"):
                digest.update(block[column].to_numpy(zero_copy_only=False).astype(np.float64).tobytes())
            digest.update(pc.fill_null(pc.list_value_length(block["labels"]), 0).to_numpy().tobytes())
            digest.update(pc.list_flatten(block["labels"]).to_numpy().tobytes())
            digest.update("\0".join(pc.fill_null(block["split"], "\1").to_pylist()).encode())
            digest.update(files[first : first + _BLOCK].tobytes())
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Write the corpus to one Arrow IPC file, atomically; whoever opens it looks at the recordings anew."""
        with written_whole(path) as temporary:
            self._with(_with_column(self.table, "content", pa.nulls(len(self))))._write(temporary)

    def _write(self, path: Path) -> None:
        about = {"root": self.root, "vocabulary": self.vocabulary, "skipped": self.skipped}
        schema = SCHEMA.with_metadata({"soundviews": json.dumps(about)})
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            writer.write_table(self.table.cast(schema), max_chunksize=_BLOCK)

    @classmethod
    def load(cls, path: str | Path) -> "Corpus":
        """Open what `save` wrote, memory-mapped.

        Raises:
            SoundviewsError: it is damaged.
        """
        try:
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            table.validate()
            about = json.loads(table.schema.metadata[b"soundviews"])
            # Earlier versions had other columns for the files.
            table = to_schema({name: table[name] for name in table.column_names}, table.num_rows)
            return cls(about["root"], table, about["vocabulary"], [Skipped(*entry) for entry in about["skipped"]])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SoundviewsError(f"{path} is damaged: {error}") from error

    def _with(self, table: pa.Table) -> "Corpus":
        return Corpus(self.root, table, self.vocabulary, self.skipped)

    def __reduce__(self) -> tuple[Any, ...]:
        if len(self) < _LARGE:
            return Corpus, (self.root, self.table, self.vocabulary, self.skipped)
        path = cache_directory("corpora", f"rows-{self.fingerprint}.arrow")
        if load_kept(path) is not None or keep(path, self.looked_at()._write):
            return Corpus.load, (str(path),)
        return Corpus, (self.root, self.table, self.vocabulary, self.skipped)


def load_kept(path: Path) -> Corpus | None:
    """What is in the cache at `path`; None where there is nothing, or what is there is damaged."""
    if not os.path.isfile(path):
        return None
    try:
        return Corpus.load(path)
    except SoundviewsError as error:
        discard(path, error.__cause__)
        return None


def to_schema(columns: dict[str, Any], rows: int) -> pa.Table:
    """Arrays or sequences by column name to a table with all of SCHEMA's columns; those not given are null."""
    arrays = [
        pa.nulls(rows, field.type) if columns.get(field.name) is None else _array(columns[field.name], field.type)
        for field in SCHEMA
    ]
    return pa.table(arrays, schema=SCHEMA)


def _with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    field = SCHEMA.field(name)
    return table.set_column(SCHEMA.get_field_index(name), field, _array(values, field.type))


def _array(values: Any, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.cast(kind)
    return pa.array(values, kind, from_pandas=pa.types.is_floating(kind))
