"""Rows of a table that name a clip that another row has named."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from soundviews.audio.corpus import Skipped
from soundviews.errors import SoundviewsError

_SAME = ("labels", "fold", "split")


def without_repeats(path: Path, table: pa.Table, lines: npt.NDArray[np.int64], skipped: list[Skipped]) -> pa.Table:
    """The rows without those that repeat another one, which join `skipped`: counted twice, a clip weighs twice.

    Args:
        path: The table's file, for messages.
        table: Rows in the corpus's schema.
        lines: (rows,) where each begins.

    Raises:
        SoundviewsError: Two rows say different things of one clip, which may then be in two splits; names both lines.
    """
    if len(table) == 0:
        return table
    file = table["path"].combine_chunks().dictionary_encode().indices.to_numpy()
    start, end = table["start"].to_numpy(), pc.fill_null(table["end"], -1.0).to_numpy()
    order = np.lexsort((end, start, file))  # stable: of equal ones the first row comes first
    after, before = order[1:], order[:-1]
    same = (file[after] == file[before]) & (start[after] == start[before]) & (end[after] == end[before])
    if not same.any():
        return table
    said = table.select(_SAME)
    pairs = zip(
        after[same], before[same], *(said.take(rows[same]).to_pylist() for rows in (after, before)), strict=True
    )
    for repeated, first, here, there in pairs:
        if here != there:
            differs = next(name for name in _SAME if here[name] != there[name])
            hint = " (several labels of one clip belong in one row, with ';' between)" if differs == "labels" else ""
            raise SoundviewsError(
                f"{path}, lines {lines[first]} and {lines[repeated]}: both are {table['path'][int(first)]}, "
                f"with different {differs}{hint}"
            )
        skipped.append(Skipped(f"{path}, line {lines[repeated]}", f"says the same as line {lines[first]}"))
    keep = np.ones(len(table), bool)
    keep[after[same]] = False
    return table.filter(pa.array(keep))
