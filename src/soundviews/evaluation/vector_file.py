"""Vectors by the batch, on disk as long as the disk takes them."""

import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class VectorFile:
    """Rows of float32 that are written one batch after the other.

    Args:
        path: The file; None for one without a name, which goes with the last use of its rows.

    Attributes:
        error: Why the disk took no more; from there on all rows are in memory, and the file is of no use.
        checksum: CRC-32 of the rows' bytes.
    """

    def __init__(self, path: Path | None) -> None:
        self.error: OSError | None = None
        self.checksum = self.size = self._bytes = 0
        self._file: Any = None
        self._in_memory: list[NDArray[np.float32]] = []
        try:
            opened = open(path, "w+b", buffering=0) if path else tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
            self._file = opened
        except OSError as error:
            self.error = error

    def add(self, rows: NDArray[np.float32]) -> None:
        """Write the next rows, (rows, size), as many as there are."""
        self.size = rows.shape[1]
        data = np.ascontiguousarray(rows).data.cast("B")
        self.checksum = zlib.crc32(data, self.checksum)
        if self.error is None:
            try:
                self._write(data)
                return
            except OSError as error:
                self.error = error
                self._in_memory = [self._written().copy()]
        self._in_memory.append(rows)

    def rows(self) -> NDArray[np.float32]:
        """All of them, (rows, size); read from the disk when they are needed where they are there."""
        return self._written() if self.error is None else np.concatenate(self._in_memory)

    def close(self) -> None:
        """Rows that are in use stay so."""
        if self._file is not None:
            self._file.close()

    def _write(self, data: memoryview) -> None:
        left = data
        while left:  # a nearly full disk takes a part without complaint
            left = left[self._file.write(left) :]
        self._bytes += len(data)

    def _written(self) -> NDArray[np.float32]:
        return map_rows(self._file, self._bytes // 4 // self.size, self.size)


def map_rows(file: Any, rows: int, size: int) -> NDArray[np.float32]:
    """(rows, size) of a file; torch may wrap them without a warning about read-only memory, and changes stay in it."""
    if rows == 0:
        return np.zeros((0, size), np.float32)
    return np.memmap(file, dtype=np.float32, mode="c", shape=(rows, size))
