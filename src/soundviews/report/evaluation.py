"""An evaluation as sections of a report."""

from collections.abc import Sequence
from pathlib import Path

from soundviews.evaluation.runner import MEASURES, Evaluation, Row
from soundviews.report.figures import Bar, per_class_bars, protocol_bars
from soundviews.report.html import Figure, Section, Table, Text, write_report

MOST_CLASSES = 100  # a page of bars; the table has them all
OF_ONE_CLASS = {"mAP": "average precision"}


def write_evaluation(path: str | Path, evaluation: Evaluation) -> Path:
    """A page of its own."""
    first = evaluation.rows[0]
    lead = f"{first.system}, {first.label}: {MEASURES.get(first.measure, first.measure)} {first.value:.3f}."
    return write_report(path, f"{evaluation.model} on {evaluation.data}", evaluation_sections(evaluation), lead)


def evaluation_sections(evaluation: Evaluation) -> list[Section]:
    """The table with bars; the classes of the first row against the log-mel statistics if they were judged, and a
    table of all classes and rows."""
    columns = ("protocol", "system", "measure", "value", "95 % interval", "over", "seconds")
    table = Table(columns, [evaluation.cells(row) for row in evaluation.rows], "; ".join(evaluation.tasks))
    bars = [_bar(row) for row in evaluation.rows]
    measures = dict.fromkeys(MEASURES.get(row.measure, row.measure) for row in evaluation.rows)
    parts: list[Text | Table | Figure] = [table, Figure(protocol_bars(bars, " or ".join(measures)))]
    parts += [Text(note) for note in evaluation.notes]
    sections = [Section("Results", parts)]
    first, classes = evaluation.rows[0], _class_table(evaluation.rows)
    if len(classes.rows) > 1:
        shown: list[Text | Table | Figure] = [classes]
        if 1 < len(first.per_class) <= MOST_CLASSES:
            drawing = per_class_bars(first.per_class, MEASURES.get(first.measure, first.measure), _baseline(evaluation))
            shown.insert(0, Figure(drawing, f"{first.label}, {first.system}"))
        sections.append(Section("Classes", shown))
    if evaluation.unreadable:
        rows = list(evaluation.unreadable.items())
        sections.append(Section("Unreadable clips", [Table(("clip", "reason"), rows)]))
    return sections


def _class_table(rows: Sequence[Row]) -> Table:
    """Every class by every row, the first row's best first; empty where a class could not be judged."""
    names = sorted(dict.fromkeys(name for row in rows for name in row.per_class))
    names.sort(key=lambda name: -rows[0].per_class.get(name, -1.0))
    columns = ["class", *(f"{row.label}, {row.system}: {OF_ONE_CLASS.get(row.measure, row.measure)}" for row in rows)]
    return Table(columns, [[name, *(row.per_class.get(name, "") for row in rows)] for name in names])


def _bar(row: Row) -> Bar:
    low, high = (row.value if edge is None else edge for edge in (row.low, row.high))
    group = "finetune or scratch" if row.protocol in ("finetune", "scratch") else row.label
    return Bar(group, row.system, row.value, low, high)


def _baseline(evaluation: Evaluation) -> dict[str, float] | None:
    first = evaluation.rows[0]
    for row in evaluation.rows[1:]:
        if row.label == first.label and row.system == "log-mel statistics":
            return row.per_class
    return None
