"""Embed recordings into one Parquet file, so that an interruption costs less than a minute."""

import contextlib
import csv
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from soundviews.archive.blocks import BLOCK_SECONDS, Piece, embed_stretches
from soundviews.archive.inputs import Inputs, Skipped
from soundviews.core.errors import SoundviewsError
from soundviews.model import Model

METADATA_KEY = b"soundviews"
PART_SECONDS = 10.0  # of work that a kill may cost
PART_BYTES = 64 << 20  # of vectors kept in memory before they are written
ROW_GROUP_BYTES = 64 << 20

Progress = Callable[[float, float, int], None]  # stretches done, seconds of audio embedded, windows


@dataclass(frozen=True)
class Embedded:
    """What a finished file holds. already_complete: an earlier call had made all of it."""

    path: Path
    recordings: int
    windows: int
    skipped: list[Skipped]
    already_complete: bool = False


def embed_files(
    model: Model,
    inputs: Inputs,
    out: str | Path,
    bundle_path: str | Path = "",
    workers: int = 2,
    block_seconds: float = BLOCK_SECONDS,
    strict: bool = False,
    progress: Progress | None = None,
) -> Embedded:
    """Embed every window of every recording; go on where an earlier call was interrupted.

    Progress is kept in `OUT.parts/`, a Parquet file for every 10 seconds of work, each written whole. The last
    one says how far it reaches. In the end they are joined into `out` and removed. Recordings that cannot be read
    are named in `OUT.skipped.csv`.

    Args:
        model: A loaded bundle.
        inputs: From `soundviews.archive.inputs.gather`.
        out: Parquet file: recording (relative to the root in the metadata), start, end (s), vector (float32).
        bundle_path: Where the model came from, kept so that `search` finds it.
        workers: Threads that decode ahead.
        block_seconds: Long recordings are read in blocks of this length.
        strict: Stop at the first recording that cannot be read.
        progress: Called as (recordings done, seconds of audio, windows).

    Raises:
        SoundviewsError: where `out` or its parts belong to another bundle or other recordings, or on a full disk.
    """
    out = Path(out)
    plan = _plan(model, inputs, bundle_path, block_seconds)
    parts = Path(f"{out}.parts")
    if out.is_dir():
        raise SoundviewsError(f"{out} is a folder: --out is the Parquet file to write")
    if out.exists():
        _check_same(plan, read_metadata(out), out)
        shutil.rmtree(parts, ignore_errors=True)
        return _summary(out, already_complete=True)
    try:
        state = _open_parts(parts, plan, model.embedding_size)
        if state.cursor == (0, 0):
            state.skipped.extend(inputs.skipped)
        for pieces in embed_stretches(model, inputs.root, inputs.stretches, state.cursor, workers, block_seconds):
            state.add(pieces, inputs)
            if strict and state.skipped:
                raise SoundviewsError(f"{state.skipped[0].recording}: {state.skipped[0].reason}")
            if progress is not None:
                progress(state.done, state.seconds, state.windows)
        state.flush()
        if not state.windows:
            shutil.rmtree(parts)
            raise SoundviewsError(_nothing_read(state.skipped))
        _finish(parts, out, plan, state)
    except OSError as error:
        kept = f". What was done is kept in {parts}; the same command goes on" if parts.is_dir() else ""
        raise SoundviewsError(f"{error}{kept}") from error
    return _summary(out)


def read_metadata(path: str | Path) -> dict[str, Any]:
    """What an archive file says of itself: bundle {name, hash, path}, root, inputs, seconds of its windows, ...

    Raises:
        SoundviewsError: where it was not made by `soundviews embed`.
    """
    if not Path(path).is_file():
        raise SoundviewsError(f"there is no file {path}")
    try:
        found = (pq.read_schema(path).metadata or {}).get(METADATA_KEY)
    except pa.ArrowInvalid as error:
        raise SoundviewsError(f"{path} is not a Parquet file: {error}") from error
    if found is None:
        raise SoundviewsError(f"{path} was not made by `soundviews embed`")
    return json.loads(found)


@dataclass
class _Parts:
    """The rows not yet written, and how far the written ones reach."""

    folder: Path
    schema: pa.Schema
    number: int = 0
    cursor: tuple[int, int] = (0, 0)
    skipped: list[Skipped] = field(default_factory=list)
    windows: int = 0
    seconds: float = 0.0
    done: float = 0.0
    _columns: list[tuple[list[str], np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    _bytes: int = 0
    _skipped_written: int = 0
    _written_at: float = field(default_factory=time.monotonic)
    _unwritten: bool = False

    def add(self, pieces: list[Piece], inputs: Inputs) -> None:
        for piece in pieces:
            block = piece.block
            if piece.skipped is not None:
                self.skipped.append(piece.skipped)
            elif len(piece.vectors):
                path = inputs.stretches[block.stretch].path
                self._columns.append(([path] * len(piece.vectors), piece.starts, piece.ends, piece.vectors))
                self._bytes += piece.vectors.nbytes
                self.windows += len(piece.vectors)
                self.seconds += float(piece.ends[-1] - piece.starts[0])
            if block.wanted is None:
                self.cursor = (block.stretch + 1, 0)
            else:
                self.cursor = (block.stretch, block.first + block.wanted)
            self.done = block.stretch + piece.done
            self._unwritten = True
        if self._bytes > PART_BYTES or time.monotonic() - self._written_at > PART_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the rows so far as one part, with the place to go on from."""
        if not self._unwritten:
            return
        position = {
            "cursor": self.cursor,
            "windows": self.windows,
            "skipped": self.skipped[self._skipped_written :],
        }
        schema = self.schema.with_metadata({METADATA_KEY: json.dumps(position).encode()})
        names = [name for column in self._columns for name in column[0]]
        dim = self.schema.field("vector").type.list_size
        stacked = [np.concatenate([c[i] for c in self._columns] or [np.zeros((0,))]) for i in (1, 2, 3)]
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(stacked[2].ravel(), pa.float32()), dim)
        table = pa.Table.from_arrays(
            [pa.array(names, pa.string()), pa.array(stacked[0]), pa.array(stacked[1]), vectors], schema=schema
        )
        with _atomically(self.folder / f"part-{self.number:06d}.parquet", self.folder) as building:
            pq.write_table(table, building, compression="none", use_dictionary=["recording"])
        self.number += 1
        self._columns, self._bytes, self._unwritten = [], 0, False
        self._skipped_written = len(self.skipped)
        self._written_at = time.monotonic()


def _plan(model: Model, inputs: Inputs, bundle_path: str | Path, block_seconds: float) -> dict[str, Any]:
    return {
        "bundle": {
            "name": model.name,
            "hash": model.fingerprint,
            "path": str(Path(bundle_path).absolute()) if bundle_path else "",
        },
        "root": str(inputs.root),
        "inputs": inputs.fingerprint,
        "recordings": len({stretch.path for stretch in inputs.stretches}),
        "sample_rate": model.sample_rate,
        "window_seconds": model.seconds,
        "hop_seconds": model.hop_seconds,
        "block_seconds": block_seconds,
    }


def _check_same(plan: dict[str, Any], found: dict[str, Any], place: Path) -> None:
    """Refuse to mix the vectors of two bundles or two sets of recordings in one file."""
    mine, theirs = plan["bundle"], found["bundle"]
    if mine["hash"] != theirs["hash"]:
        raise SoundviewsError(
            f"{place} holds embeddings of another bundle ({theirs['name']}, {theirs['hash']}), not of "
            f"{mine['name']} ({mine['hash']}): name another --out, or delete it to start anew"
        )
    if plan["inputs"] != found["inputs"] or plan["block_seconds"] != found["block_seconds"]:
        raise SoundviewsError(
            f"{place} was made from other recordings ({found['recordings']} under {found['root']}; here "
            f"{plan['recordings']} under {plan['root']}), or they have changed since: name another --out, or "
            "delete it to start anew"
        )


def _open_parts(folder: Path, plan: dict[str, Any], dim: int) -> _Parts:
    """Where to go on: after the last part written for the same plan, or at the beginning."""
    schema = pa.schema(
        [
            ("recording", pa.string()),
            ("start", pa.float64()),
            ("end", pa.float64()),
            ("vector", pa.list_(pa.float32(), dim)),
        ]
    )
    folder.mkdir(parents=True, exist_ok=True)
    plan_file = folder / "plan.json"
    if plan_file.exists():
        _check_same(plan, json.loads(plan_file.read_text()), folder)
    else:
        with _atomically(plan_file, folder) as building:
            building.write_text(json.dumps(plan, indent=2))
    state = _Parts(folder, schema)
    written = _part_files(folder)
    for file in written:
        position = json.loads(pq.read_schema(file).metadata[METADATA_KEY])
        state.skipped.extend(Skipped(*row) for row in position["skipped"])
        state.cursor, state.windows = tuple(position["cursor"]), position["windows"]
    state.number, state.done = len(written), float(state.cursor[0])
    state._skipped_written = len(state.skipped)
    return state


def _part_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _finish(parts: Path, out: Path, plan: dict[str, Any], state: _Parts) -> None:
    """Join the parts into one file, row group by row group, and remove them."""
    skipped_file = Path(f"{out}.skipped.csv")
    if state.skipped:
        with _atomically(skipped_file, parts) as building, open(building, "w", newline="") as file:
            csv.writer(file).writerows([Skipped._fields, *state.skipped])
    else:
        skipped_file.unlink(missing_ok=True)
    metadata = json.dumps(plan | {"skipped": len(state.skipped), "version": 1}).encode()
    schema = state.schema.with_metadata({METADATA_KEY: metadata})
    rows = max(1, ROW_GROUP_BYTES // (4 * schema.field("vector").type.list_size))
    with (
        _atomically(out, parts) as building,
        pq.ParquetWriter(building, schema, compression="none", use_dictionary=["recording"]) as writer,
    ):
        for table in _regrouped(_part_files(parts), rows):
            writer.write_table(table.cast(schema), row_group_size=rows)
    shutil.rmtree(parts)


def _regrouped(files: list[Path], rows: int) -> Iterator[pa.Table]:
    """The parts' tables, small neighbours joined to about `rows` rows."""
    waiting: list[pa.Table] = []
    for file in files:
        waiting.append(pq.read_table(file).replace_schema_metadata(None))
        if sum(len(table) for table in waiting) >= rows:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _summary(out: Path, already_complete: bool = False) -> Embedded:
    skipped_file = Path(f"{out}.skipped.csv")
    skipped: list[Skipped] = []
    if skipped_file.exists():
        with open(skipped_file, newline="") as file:
            rows = list(csv.reader(file))[1:]
        skipped = [Skipped(name, float(start), reason) for name, start, reason in rows]
    metadata = read_metadata(out)
    return Embedded(out, metadata["recordings"], pq.read_metadata(out).num_rows, skipped, already_complete)


def _nothing_read(skipped: list[Skipped]) -> str:
    first = f"; the first, {skipped[0].recording}: {skipped[0].reason}" if skipped else ""
    return f"not one of the recordings could be read{first}"


@contextlib.contextmanager
def _atomically(path: Path, folder: Path) -> Iterator[Path]:
    """A place in `folder` to write to; it is moved to `path` when all is written and on the disk."""
    building = folder / f".{path.name}.{os.getpid()}"
    try:
        yield building
        with open(building, "rb") as file:
            os.fsync(file.fileno())
        os.replace(building, path)
    finally:
        building.unlink(missing_ok=True)
