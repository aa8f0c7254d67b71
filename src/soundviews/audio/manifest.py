"""A table that lists clips to a corpus: CSV in whatever dialect a spreadsheet writes, TSV, Parquet.

Columns: path (relative to the manifest's folder), and any of label (several separated by ';') or labels, fold, split,
start, end (seconds). Other columns are ignored.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from soundviews.audio.corpus import SCHEMA, Corpus, Skipped, load_kept, to_schema
from soundviews.audio.delimited import read_delimited
from soundviews.audio.limits import NOT_A_FILE
from soundviews.audio.repeats import without_repeats
from soundviews.core.caches import cache_directory, keep
from soundviews.core.errors import SoundviewsError, UnreadableClip, brief
from soundviews.core.registry import nearest

MANIFESTS = (".csv", ".tsv", ".parquet")
_COLUMNS = ("path", "labels", "fold", "split", "start", "end")
_ALIASES = {"label": "labels", "event_label": "labels", "file": "path", "filename": "path", "fname": "path"}
# From here on reading the text takes long enough to keep what was read.
_WORTH_KEEPING = 100_000
_BLOCK = 65_536
LARGEST_FOLD = 1_000_000_000  # below what a column of folds holds


def read_manifest(path: Path, strict: bool, workers: int | None, progress: bool) -> Corpus:
    """The clips that a manifest lists; rows whose file is missing are skipped and named.

    Headers are not read: `Corpus.cut` and `Corpus.with_durations` do that when lengths are needed. What a manifest
    of 100,000 rows or more says is kept, and read again when the manifest has changed.

    Raises:
        SoundviewsError: names the manifest and the line that cannot be understood.
    """
    stats = path.stat()
    key = hashlib.blake2b(repr((str(path), stats.st_size, stats.st_mtime_ns)).encode(), digest_size=12)
    kept = cache_directory("manifests", f"{key.hexdigest()}.arrow")
    if not strict and (corpus := load_kept(kept)) is not None:
        return corpus
    blocks = _parquet_blocks(path) if path.suffix.lower() == ".parquet" else _text_blocks(path)
    index: dict[str, int] = {}
    skipped: list[Skipped] = []
    tables, lines = [], []
    for block in blocks:
        table, exists = _to_table(path.parent, block, index, skipped, strict)
        tables.append(table)
        lines.append(np.array(block["line"], np.int64)[exists])
    if not tables:
        raise SoundviewsError(f"{path} lists no clips: it has no rows below its header")
    table = without_repeats(path, pa.concat_tables(tables), np.concatenate(lines), skipped)
    if table.num_rows == 0:
        raise SoundviewsError(
            f"none of the {len(skipped)} recordings in {path} exist; the first looked for is {skipped[0].path} "
            "(paths are relative to the manifest's folder)"
        )
    corpus = _sorted_vocabulary(path.parent, table, index, skipped)
    if len(corpus) >= _WORTH_KEEPING and keep(kept, corpus.save):
        return Corpus.load(kept)
    return corpus


def _to_table(
    root: Path, block: dict[str, list[Any]], index: dict[str, int], skipped: list[Skipped], strict: bool
) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
    """The rows of one block whose file is there, to SCHEMA, and which those are, (rows,).

    Labels are numbered in the order of their first appearance.
    """
    columns: dict[str, Any] = dict(block)
    names = block.get("labels", [()] * len(block["path"]))
    columns["labels"] = [sorted({index.setdefault(name, len(index)) for name in row}) for row in names]
    columns["start"] = [value or 0.0 for value in block.get("start", [0.0] * len(names))]
    exists = np.array([os.path.isfile(os.path.join(root, name)) for name in block["path"]], bool)
    for row in np.flatnonzero(~exists):  # as Windows writes it, or with a space beside the delimiter
        other = block["path"][row].strip().replace("\\", "/")
        if other != block["path"][row] and os.path.isfile(os.path.join(root, other)):
            exists[row], block["path"][row] = True, other
    absent = [os.path.join(root, block["path"][row]) for row in np.flatnonzero(~exists)]
    missing = [Skipped(path, NOT_A_FILE if os.path.exists(path) else "no such file") for path in absent]
    if missing and strict:
        raise UnreadableClip(f"{missing[0].path}: {missing[0].reason}")
    skipped += missing
    table = to_schema(columns, len(names))
    return table if exists.all() else table.filter(pa.array(exists)), exists


def _sorted_vocabulary(root: Path, table: pa.Table, index: dict[str, int], skipped: list[Skipped]) -> Corpus:
    """Number the classes by name, so that the order of the rows does not matter."""
    names = sorted(index)
    rank = np.zeros(len(index), np.int32)
    rank[[index[name] for name in names]] = np.arange(len(names))
    labels = table["labels"].combine_chunks()
    if names and len(labels):
        flat = pc.list_flatten(labels).to_numpy()
        offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(labels).to_numpy())])
        labels = pa.ListArray.from_arrays(offsets.astype(np.int32), pa.array(rank[flat], pa.int32()))
    return Corpus(
        root, table.set_column(SCHEMA.get_field_index("labels"), SCHEMA.field("labels"), labels), names, skipped
    )


def _header(path: Path, line: int, names: list[str]) -> dict[str, int]:
    """Column name to the index of its field in a row."""
    fields: dict[str, int] = {}
    for index, raw in enumerate(names):
        name = raw.strip().lower()
        name = _ALIASES.get(name, name)
        if name in _COLUMNS and name not in fields:
            fields[name] = index
    if "path" not in fields:
        hint = nearest("path", [name for name in names if name.strip()]) if any(names) else "the line is empty"
        raise SoundviewsError(f"{path}, line {line}: no column 'path' ({hint})")
    return fields


def _text_blocks(path: Path) -> Iterator[dict[str, list[Any]]]:
    """Rows of a CSV or TSV file as columns, a block at a time; `line` is where each row begins."""
    rows = read_delimited(path, {*_COLUMNS, *_ALIASES})
    fields = _header(path, *next(rows, (1, [])))
    block: dict[str, list[Any]] = {name: [] for name in ("line", *fields)}
    for line, row in rows:
        _add_row(block, row, fields, path, line)
        if len(block["path"]) == _BLOCK:
            yield block
            block = {name: [] for name in block}
    if block["path"]:
        yield block


def _add_row(block: dict[str, list[Any]], row: list[str], fields: dict[str, int], path: Path, line: int) -> None:
    block["line"].append(line)
    for name, index in fields.items():
        field = row[index] if name == "path" else row[index].strip()
        if "\n" in field and name != "path":
            raise SoundviewsError(f"{path}, line {line}: {name} goes on in the next line; is a quote left open?")
        try:
            block[name].append(_PARSERS[name](field))
        except ValueError:
            raise SoundviewsError(f"{path}, line {line}: {name} {_EXPECTED[name]}, it is {brief(field)}") from None
    start = block["start"][-1] if "start" in block else None
    end = block["end"][-1] if "end" in block else None
    if end is not None and end <= (start or 0.0):
        raise SoundviewsError(f"{path}, line {line}: the end, {end:g} s, is not after the start, {start or 0.0:g} s")


def _path(field: str) -> str:
    if not field.strip() or "\0" in field:
        raise ValueError
    return field


def _seconds(field: str) -> float | None:
    if not field:
        return None
    value = float(field.replace(",", "."))
    if not (0 <= value < float("inf")):
        raise ValueError
    return value


def _fold(field: str) -> int | None:
    if not field:
        return None
    value = float(field)
    if abs(value) > LARGEST_FOLD or value != int(value):
        raise ValueError
    return int(value)


def _labels(field: str) -> list[str]:
    return [name.strip() for name in field.split(";") if name.strip()]


_PARSERS: dict[str, Callable[[str], Any]] = {
    "path": _path,
    "labels": _labels,
    "fold": _fold,
    "split": lambda field: field or None,
    "start": _seconds,
    "end": _seconds,
}
_EXPECTED = {
    "path": "must not be empty, nor have a NUL in it",
    "fold": f"must be a whole number of at most {LARGEST_FOLD:,}",
    "start": "must be seconds, 0 or more",
    "end": "must be seconds, 0 or more",
}


def _parquet_blocks(path: Path) -> Iterator[dict[str, list[Any]]]:
    """Rows of a Parquet file as columns, a block at a time; labels may be text or lists of text."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise SoundviewsError(f"{path}: not a Parquet file ({' '.join(str(error).split())})") from error
    with file:
        names = file.schema_arrow.names
        fields = _header(path, 1, names)
        first = 0
        try:
            for batch in file.iter_batches(_BLOCK, columns=[names[index] for index in fields.values()]):
                block: dict[str, list[Any]] = {"line": list(range(first + 1, first + 1 + batch.num_rows))}
                for name, index in fields.items():
                    values = batch[names[index]].to_pylist()
                    block[name] = [_from_parquet(name, v, f"{path}, row {first + n + 1}") for n, v in enumerate(values)]
                first += batch.num_rows
                yield block
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise SoundviewsError(f"{path} is damaged after row {first:,}: {' '.join(str(error).split())}") from error


def _from_parquet(name: str, value: Any, where: str) -> Any:
    if name == "labels" and isinstance(value, list):
        return [str(label) for label in value]
    try:
        return _PARSERS[name]("" if value is None or value != value else str(value))
    except ValueError:
        raise SoundviewsError(f"{where}: {name} {_EXPECTED[name]}, it is {brief(value)}") from None
