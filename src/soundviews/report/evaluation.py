"""An evaluation as sections of a report."""

from pathlib import Path

from soundviews.evaluation.runner import MEASURES, Evaluation, Row
from soundviews.report.figures import Bar, per_class_bars, protocol_bars
from soundviews.report.html import Figure, Section, Table, Text, write_report

MOST_CLASSES = 100  # a page of bars; the JSON has them all


def write_evaluation(path: str | Path, evaluation: Evaluation) -> Path:
    """A page of its own."""
    first = evaluation.rows[0]
    lead = f"{first.system}, {first.label}: {MEASURES.get(first.measure, first.measure)} {first.value:.3f}."
    return write_report(path, f"{evaluation.model} on {evaluation.data}", evaluation_sections(evaluation), lead)


def evaluation_sections(evaluation: Evaluation) -> list[Section]:
    """The table with bars, and the classes of the first row against the log-mel statistics if they were judged."""
    columns = ("protocol", "system", "measure", "value", "95 % interval", "over", "seconds")
    table = Table(columns, [evaluation.cells(row) for row in evaluation.rows], "; ".join(evaluation.tasks))
    bars = [_bar(row) for row in evaluation.rows]
    measures = dict.fromkeys(MEASURES.get(row.measure, row.measure) for row in evaluation.rows)
    parts: list[Text | Table | Figure] = [table, Figure(protocol_bars(bars, " or ".join(measures)))]
    parts += [Text(note) for note in evaluation.notes]
    sections = [Section("Results", parts)]
    first = evaluation.rows[0]
    if 1 < len(first.per_class) <= MOST_CLASSES:
        drawing = per_class_bars(first.per_class, MEASURES.get(first.measure, first.measure), _baseline(evaluation))
        sections.append(Section("Classes", [Figure(drawing, f"{first.label}, {first.system}")]))
    if evaluation.unreadable:
        rows = list(evaluation.unreadable.items())
        sections.append(Section("Unreadable clips", [Table(("clip", "reason"), rows)]))
    return sections


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
