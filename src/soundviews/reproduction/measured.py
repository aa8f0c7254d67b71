"""The figures of a table as they lie in the folders of its judgements."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from soundviews.core.pages import read_json
from soundviews.evaluation.intervals import student_t
from soundviews.reproduction.plan import Cell, Plan
from soundviews.reproduction.work import MADE_BY, Failures


class Line(NamedTuple):
    """A figure of the table, ready to be written; figures are in percent where the paper's is.

    value, low, high: the mean over the seeds and its 95 % interval; over: what the interval is over.
    difference: measured minus published; None where they are not comparable or nothing is measured.
    seeds: how many are judged. made_by: versions and commits. state: empty where all is done.
    """

    row: str
    column: str
    published: float
    value: float | None
    low: float | None
    high: float | None
    over: str
    difference: float | None
    seeds: int
    recipe: str
    hash: str
    made_by: str
    state: str


def lines(plan: Plan, failures: Failures) -> list[Line]:
    """All figures of the table, in its order."""
    return [_line(plan, cell, failures) for cell in plan.cells]


def _line(plan: Plan, cell: Cell, failures: Failures) -> Line:
    judged = [row for folder in cell.judgements if (row := _judged_row(folder)) is not None]
    values = [row["metrics"][cell.metric or row["measure"]] for row in judged]
    unit = 100.0 if cell.percent else 1.0
    low = high = None
    over = ""
    if len(values) > 1:
        low, high, over = student_t(values, f"{len(values)} seeds")
    elif judged and cell.metric in (None, judged[0]["measure"]):
        low, high, over = (judged[0][name] for name in ("low", "high", "interval"))
    value = unit * sum(values) / len(values) if values else None
    difference = value - cell.published if value is not None and plan.asked.comparable else None
    return Line(
        row=cell.row,
        column=cell.column,
        published=cell.published,
        value=value,
        low=None if low is None else unit * low,
        high=None if high is None else unit * high,
        over=over,
        difference=difference,
        seeds=len(values),
        recipe=cell.recipe,
        hash=cell.hash,
        made_by=_made_by(cell.steps),
        state=_state(cell, len(values), failures),
    )


def _state(cell: Cell, judged: int, failures: Failures) -> str:
    """What a reader must know of a figure that is not, or not wholly, measured."""
    failed = dict.fromkeys(failures[folder] for folder in cell.steps if folder in failures)
    if cell.reason:
        return f"not run: {cell.reason}"
    if failed:
        return "failed: " + "; ".join(failed)
    return "" if judged == len(cell.judgements) else f"{judged} of {len(cell.judgements)} seeds done"


def _judged_row(folder: Path) -> dict[str, Any] | None:
    """The one row of a judgement, None while there is none."""
    try:
        row: dict[str, Any] = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["rows"][0]
    except (OSError, ValueError, LookupError):
        return None
    return row


def _made_by(folders: tuple[Path, ...]) -> str:
    """The versions and commits that made these folders, each once."""
    made = []
    for folder in folders:
        try:
            page = read_json(folder / MADE_BY)
            made.append(" ".join(filter(None, (page["soundviews"], page["commit"]))))
        except (OSError, ValueError, LookupError, TypeError):
            continue
    return ", ".join(dict.fromkeys(made))
