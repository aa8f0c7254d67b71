"""What an embedding that is under way has written: small Parquet files, each whole, from where to where they reach.

A part is named by where it begins: the row of the clip, and the number of the window in it. So a part that is missing
or damaged shows, here and when the parts are joined, and it is made anew with all that come after it.
"""

import json
import logging
import shutil
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from soundviews.archive.blocks import Piece
from soundviews.audio.corpus import Corpus, Skipped
from soundviews.core.files import written_whole

METADATA_KEY = b"soundviews"
CHECKSUMS_KEY = b"checksums"  # CRC-32 of what a part says of itself, and of its rows
PART_SECONDS = 10.0  # of work that a kill may cost
PART_BYTES = 64 << 20  # of vectors kept in memory before they are written
ROW_GROUP_BYTES = 64 << 20
PART_OPTIONS: Any = {"compression": "none", "use_dictionary": ["recording"], "write_page_checksum": True}

logger = logging.getLogger(__name__)

Cursor = tuple[int, int]  # row of the clip, and number of the window in it


class DamagedPart(Exception):
    """A part cannot be read; it is removed."""


class _Written(NamedTuple):
    """A part on the disk. begins: None in what an earlier version wrote. windows: of all parts up to its end."""

    file: Path
    begins: Cursor | None
    ends: Cursor
    windows: int
    rows: int
    skipped: list[Skipped]

    @classmethod
    def read(cls, file: Path, schema: pa.Schema) -> "_Written | None":
        """What a part says of itself; None if it is damaged."""
        try:
            with pq.ParquetFile(file) as part:
                rows, written = part.metadata.num_rows, part.schema_arrow
            text, checksums = written.metadata[METADATA_KEY], written.metadata.get(CHECKSUMS_KEY)
            # Earlier versions wrote no checksums.
            if not written.equals(schema) or (checksums and int(checksums.split()[0]) != zlib.crc32(text)):
                return None
            page = json.loads(text)
            begins = page.get("begins")
            row, window = page["cursor"]
            skipped = [Skipped(*entry) for entry in page["skipped"]]
            return cls(file, begins and (begins[0], begins[1]), (row, window), page["windows"], rows, skipped)
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError, AttributeError):
            return None


@dataclass
class Parts:
    """The rows not yet written, and how far the written ones reach.

    cursor: where to go on from. skipped: everything left out so far, paths from the corpus's root. windows: how many
    there are in all; done: clips so far. files: the parts, in their order.
    """

    folder: Path
    schema: pa.Schema
    cursor: Cursor = (0, 0)
    skipped: list[Skipped] = field(default_factory=list)
    windows: int = 0
    done: float = 0.0
    files: list[Path] = field(default_factory=list)
    _columns: list[tuple[list[str], np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    _bytes: int = 0
    _begins: Cursor = (0, 0)
    _skipped_written: int = 0
    _written_at: float = field(default_factory=time.monotonic)
    _unwritten: bool = False

    @classmethod
    def open(cls, folder: Path, dim: int) -> "Parts":
        """Go on after the last part in `folder` that all others lead up to, or begin; what comes behind is removed."""
        schema = pa.schema(
            [
                ("recording", pa.string()),
                ("start", pa.float64()),
                ("end", pa.float64()),
                ("vector", pa.list_(pa.float32(), dim)),
            ]
        )
        parts = cls(folder, schema)
        on_disk = list(folder.glob("part-*.parquet"))
        whole = [part for file in on_disk if (part := _Written.read(file, schema)) is not None]
        for part in sorted(whole, key=lambda part: part.ends):
            if (part.begins or parts.cursor) == parts.cursor and parts.windows + part.rows == part.windows:
                parts.files.append(part.file)
                parts.skipped.extend(part.skipped)
                parts.cursor, parts.windows = part.ends, part.windows
        if behind := sorted(set(on_disk) - set(parts.files)):
            logger.warning(
                "%s: a part is missing or damaged; what comes after the first %s windows is made anew",
                folder,
                f"{parts.windows:,}",
            )
            for file in behind:
                file.unlink()
        parts._begins, parts.done, parts._skipped_written = parts.cursor, float(parts.cursor[0]), len(parts.skipped)
        return parts

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
            "begins": self._begins,
            "cursor": self.cursor,
            "windows": self.windows,
            "skipped": self.skipped[self._skipped_written :],
        }
        text = json.dumps(position).encode()
        names = [name for column in self._columns for name in column[0]]
        dim = self.schema.field("vector").type.list_size
        stacked = [np.concatenate([c[i] for c in self._columns] or [np.zeros((0,))]) for i in (1, 2, 3)]
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(stacked[2].ravel(), pa.float32()), dim)
        columns = [pa.array(names, pa.string()), pa.array(stacked[0]), pa.array(stacked[1]), vectors]
        table = pa.Table.from_arrays(columns, schema=self.schema)
        checksums = f"{zlib.crc32(text)} {_checksum(table)}".encode()
        table = table.replace_schema_metadata({METADATA_KEY: text, CHECKSUMS_KEY: checksums})
        file = self.folder / "part-{:09d}-{:09d}.parquet".format(*self._begins)
        with written_whole(file) as temporary:
            pq.write_table(table, temporary, **PART_OPTIONS)
        self.files.append(file)
        self._columns, self._bytes, self._unwritten, self._begins = [], 0, False, self.cursor
        self._skipped_written = len(self.skipped)
        self._written_at = time.monotonic()

    def join(self, out: Path, metadata: dict[str, Any]) -> None:
        """Write all parts to one file, row group by row group, and remove them.

        Raises:
            DamagedPart: one of them cannot be read. `open` goes on from the one before it.
        """
        schema = self.schema.with_metadata({METADATA_KEY: json.dumps(metadata).encode()})
        rows = max(1, ROW_GROUP_BYTES // (4 * schema.field("vector").type.list_size))
        with (
            written_whole(out, beside=self.folder) as temporary,
            pq.ParquetWriter(temporary, schema, **PART_OPTIONS) as writer,
        ):
            for table in _regrouped(self.files, rows):
                writer.write_table(table.cast(schema), row_group_size=rows)
        shutil.rmtree(self.folder)


def _regrouped(files: list[Path], rows: int) -> Iterator[pa.Table]:
    """The parts' tables, small neighbours joined to about `rows` rows."""
    waiting: list[pa.Table] = []
    for file in files:
        waiting.append(_read_whole(file))
        if sum(len(table) for table in waiting) >= rows:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _read_whole(file: Path) -> pa.Table:
    try:
        table = pq.read_table(file, page_checksum_verification=True)
        checksums = table.schema.metadata.get(CHECKSUMS_KEY)
        if checksums and int(checksums.split()[1]) != _checksum(table):
            raise ValueError("it does not fit its checksum")
    except (OSError, ValueError, pa.ArrowException) as error:
        file.unlink(missing_ok=True)
        raise DamagedPart(f"{file}: {' '.join(str(error).split())}") from error
    return table.replace_schema_metadata(None)


def _checksum(table: pa.Table) -> int:
    """CRC-32 of the rows, however the table holds them."""
    checksum = zlib.crc32(json.dumps(table["recording"].to_pylist()).encode())
    for name in ("start", "end"):
        checksum = zlib.crc32(table[name].to_numpy().tobytes(), checksum)
    for chunk in table["vector"].chunks:
        checksum = zlib.crc32(chunk.flatten().to_numpy(), checksum)
    return checksum
