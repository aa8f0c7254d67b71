"""What an embedding that is under way has written: small Parquet files, each whole, that say how far they reach."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from soundviews.archive.blocks import Piece
from soundviews.audio.corpus import Corpus, Skipped
from soundviews.core.files import written_whole

METADATA_KEY = b"soundviews"
PART_SECONDS = 10.0  # of work that a kill may cost
PART_BYTES = 64 << 20  # of vectors kept in memory before they are written
ROW_GROUP_BYTES = 64 << 20


@dataclass
class Parts:
    """The rows not yet written, and how far the written ones reach.

    cursor: row of the clip, and number of the window in it, to go on from. skipped: everything left out so far, paths
    from the corpus's root. windows: how many there are in all; done: clips so far.
    """

    folder: Path
    schema: pa.Schema
    number: int = 0
    cursor: tuple[int, int] = (0, 0)
    skipped: list[Skipped] = field(default_factory=list)
    windows: int = 0
    done: float = 0.0
    _columns: list[tuple[list[str], np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    _bytes: int = 0
    _skipped_written: int = 0
    _written_at: float = field(default_factory=time.monotonic)
    _unwritten: bool = False

    @classmethod
    def open(cls, folder: Path, dim: int) -> "Parts":
        """Go on after the last part written to `folder`, or begin."""
        schema = pa.schema(
            [
                ("recording", pa.string()),
                ("start", pa.float64()),
                ("end", pa.float64()),
                ("vector", pa.list_(pa.float32(), dim)),
            ]
        )
        parts = cls(folder, schema)
        for file in parts.files():
            position = json.loads(pq.read_schema(file).metadata[METADATA_KEY])
            parts.skipped.extend(Skipped(*row) for row in position["skipped"])
            parts.cursor, parts.windows = tuple(position["cursor"]), position["windows"]
            parts.number += 1
        parts.done, parts._skipped_written = float(parts.cursor[0]), len(parts.skipped)
        return parts

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("part-*.parquet"))

    def add(self, pieces: list[Piece], corpus: Corpus) -> None:
        """Take the next pieces, and write a part when there is enough for one."""
        for piece in pieces:
            block = piece.block
            if piece.skipped is not None:
                self.skipped.append(piece.skipped)
            elif len(piece.vectors):
                path = corpus.relative(corpus.clip(block.row).path)
                self._columns.append(([path] * len(piece.vectors), piece.starts, piece.ends, piece.vectors))
                self._bytes += piece.vectors.nbytes
                self.windows += len(piece.vectors)
            if block.wanted is None:
                self.cursor = (block.row + 1, 0)
            else:
                self.cursor = (block.row, block.first + block.wanted)
            self.done = block.row + piece.done
            self._unwritten = True
        if self._bytes > PART_BYTES or time.monotonic() - self._written_at > PART_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the rows so far as one part, with the position to go on from."""
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
        with written_whole(self.folder / f"part-{self.number:06d}.parquet") as temporary:
            pq.write_table(table, temporary, compression="none", use_dictionary=["recording"])
        self.number += 1
        self._columns, self._bytes, self._unwritten = [], 0, False
        self._skipped_written = len(self.skipped)
        self._written_at = time.monotonic()

    def join(self, out: Path, metadata: dict[str, Any]) -> None:
        """Write all parts to one file, row group by row group, and remove them."""
        schema = self.schema.with_metadata({METADATA_KEY: json.dumps(metadata).encode()})
        rows = max(1, ROW_GROUP_BYTES // (4 * schema.field("vector").type.list_size))
        with (
            written_whole(out, beside=self.folder) as temporary,
            pq.ParquetWriter(temporary, schema, compression="none", use_dictionary=["recording"]) as writer,
        ):
            for table in _regrouped(self.files(), rows):
                writer.write_table(table.cast(schema), row_group_size=rows)
        shutil.rmtree(self.folder)


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
