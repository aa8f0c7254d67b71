"""Every figure of every row side by side, beyond the one that a protocol is known by."""

from collections.abc import Sequence
from typing import NamedTuple

from soundviews.evaluation.intervals import over_repetitions
from soundviews.evaluation.runner import MEASURES, Row


class FiguresTable(NamedTuple):
    """Rows that have the same figures, as text; caption: what the intervals are over, empty where there is none."""

    columns: list[str]
    rows: list[list[str]]
    caption: str


def all_figures(rows: Sequence[Row], intervals: bool = True) -> list[FiguresTable]:
    """Protocol, system and each figure's mean over the runs; a table for each set of figures.

    Rows with a single figure are left out: the table of the results has it.

    Args:
        intervals: Whether 95 % intervals stand behind the means: over pretrainings, seeds or folds (Student t); a
            row that ran once has none.
    """
    tables = []
    for names in dict.fromkeys(tuple(row.metrics) for row in rows if len(row.metrics) > 1):
        mine = [row for row in rows if tuple(row.metrics) == names]
        lines, overs = [], []
        for row in mine:
            between = {name: over_repetitions(row.runs, name) if intervals else None for name in names}
            cells = [
                f"{row.metrics[name]:.3f}" + (f" ({one.low:.3f} to {one.high:.3f})" if one else "")
                for name, one in between.items()
            ]
            lines.append([row.label, row.system, *cells])
            overs += [one.over for one in between.values() if one]
        columns = ["protocol", "system", *(MEASURES.get(name, name) for name in names)]
        over = "; ".join(dict.fromkeys(overs))
        tables.append(FiguresTable(columns, lines, f"In brackets 95 % intervals: {over}" if over else ""))
    return tables
