"""Rows of a table that name a clip that another row has named."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from soundviews.audio.corpus import SCHEMA, Skipped
from soundviews.core.errors import SoundviewsError


def without_repeats(path: Path, table: pa.Table, lines: npt.NDArray[np.int64], skipped: list[Skipped]) -> pa.Table:
    """One row a clip: what further rows of it name joins its labels, and they join `skipped`.

    So lists with a row for each label of a clip are understood, and no clip weighs twice.

    Args:
        path: The table's file, for messages.
        table: Rows in the corpus's schema.
        lines: (rows,) where each begins.

    Raises:
        SoundviewsError: Two rows put one clip in different folds or splits; names both lines.
    """
    if len(table) == 0:
        return table
    first = first_rows(table)
    repeated = np.flatnonzero(first != np.arange(len(table)))
    if len(repeated) == 0:
        return table
    said = table.select(("labels", "fold", "split"))
    labels: dict[int, set[int]] = {}
    for row, original, repeat, other in zip(
        repeated.tolist(),
        first[repeated].tolist(),
        said.take(repeated).to_pylist(),
        said.take(first[repeated]).to_pylist(),
        strict=True,
    ):
        for name in ("fold", "split"):
            if repeat[name] != other[name]:
                raise SoundviewsError(
                    f"{path}, lines {lines[original]} and {lines[row]}: both are {table['path'][original]}, "
                    f"with different {name}"
                )
        known = labels.setdefault(original, set(other["labels"]))
        reason = "says no more than" if known.issuperset(repeat["labels"]) else "its labels join those of"
        skipped.append(Skipped(f"{path}, line {lines[row]}", f"{reason} line {lines[original]}"))
        known.update(repeat["labels"])
    joined = table["labels"].to_pylist()
    for original, known in labels.items():
        joined[original] = sorted(known)
    field = SCHEMA.field("labels")
    table = table.set_column(SCHEMA.get_field_index("labels"), field, pa.array(joined, field.type))
    return table.filter(pa.array(first == np.arange(len(table))))


def first_rows(table: pa.Table) -> npt.NDArray[np.int64]:
    """(rows,) the first row that names the same stretch of the same recording."""
    file = table["path"].combine_chunks().dictionary_encode().indices.to_numpy()
    start, end = table["start"].to_numpy(), pc.fill_null(table["end"], -1.0).to_numpy()
    order = np.lexsort((end, start, file))  # stable: of equal ones the first row comes first
    after, before = order[1:], order[:-1]
    same = (file[after] == file[before]) & (start[after] == start[before]) & (end[after] == end[before])
    new = np.concatenate([[True], ~same])
    first = np.empty(len(table), np.int64)
    first[order] = order[new][np.cumsum(new) - 1]
    return first
