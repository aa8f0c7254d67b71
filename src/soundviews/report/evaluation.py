"""An evaluation as sections of a report."""

from collections.abc import Sequence
from pathlib import Path

from soundviews.evaluation.requests import request_label
from soundviews.evaluation.result import Evaluation, Failure, Row
from soundviews.evaluation.runner import WHOLE_NETWORK
from soundviews.report.classes import MOST_CLASSES, class_figures, write_figures
from soundviews.report.figures import Bar, per_class_bars, protocol_bars
from soundviews.report.html import Figure, Section, Table, Text, write_report
from soundviews.report.invariance import invariance_section
from soundviews.report.tables import figures_tables, result_table, title
from soundviews.report.words import class_measure_name, measure_name, measure_names


def write_evaluation(path: str | Path, evaluation: Evaluation) -> list[Path]:
    """A page of its own, and the figures of the classes as SVG beside it."""
    first, page = evaluation.rows[0], Path(path)
    lead = f"{first.system}, {first.label}: {measure_name(first.measure)} {first.value:.3f}."
    figures = class_figures(evaluation.rows, evaluation.classes)
    write_report(page, title(evaluation), evaluation_sections(evaluation), lead)
    return [page, *write_figures(page.parent, figures)]


def evaluation_sections(evaluation: Evaluation) -> list[Section]:
    """The table with bars; all figures; every class by every row, with the figures of the classes; invariance where
    it was measured."""
    results = result_table(evaluation)
    table = Table(results.columns, results.rows, results.caption)
    bars, measures = [_bar(row) for row in evaluation.rows], measure_names(row.measure for row in evaluation.rows)
    parts: list[Text | Table | Figure] = [table, Figure(protocol_bars(bars, measures))]
    parts += [Text(note) for note in evaluation.notes]
    sections = [Section("Results", parts), *figures_section(evaluation.rows), *_class_sections(evaluation)]
    if invariance := invariance_section(evaluation.rows):
        sections.append(invariance)
    return [*sections, *missing_sections(evaluation)]


def missing_sections(evaluation: Evaluation) -> list[Section]:
    """What could not be judged, and the clips that could not be read; nothing where there are none."""
    sections = []
    if evaluation.failures:
        sections.append(Section("Not judged", [_failure_table(evaluation.failures)]))
    if evaluation.unreadable:
        rows = list(evaluation.unreadable.items())
        sections.append(Section("Unreadable clips", [Table(("clip", "reason"), rows)]))
    return sections


def _failure_table(failures: Sequence[Failure]) -> Table:
    rows = [(failure.system, failure.run, failure.protocol or "all", failure.reason) for failure in failures]
    return Table(("system", "run", "protocol", "reason"), rows)


def figures_section(rows: Sequence[Row]) -> list[Section]:
    """All figures of all rows; nothing where no row has more than one."""
    tables = [Table(table.columns, table.rows, table.caption) for table in figures_tables(rows)]
    return [Section("All figures", tables)] if tables else []


def _class_sections(evaluation: Evaluation) -> list[Section]:
    """The classes of the first row that has some, against the log-mel statistics if they were judged."""
    rows = [row for row in evaluation.rows if row.protocol != "invariance"]
    if not rows or len((table := _class_table(rows)).rows) < 2:
        return []
    first = rows[0]
    shown: list[Text | Table | Figure] = [table]
    if 1 < len(first.per_class) <= MOST_CLASSES:
        drawing = per_class_bars(first.per_class, measure_name(first.measure), _baseline(rows))
        shown.insert(0, Figure(drawing, f"{first.label}, {first.system}"))
    return [Section("Classes", [*shown, *class_figures(rows, evaluation.classes).values()])]


def _class_table(rows: Sequence[Row]) -> Table:
    """Every class by every row, the first row's best first; empty where a class could not be judged."""
    names = sorted(dict.fromkeys(name for row in rows for name in row.per_class))
    names.sort(key=lambda name: -rows[0].per_class.get(name, -1.0))
    columns = ["class", *(f"{row.label}, {row.system}: {class_measure_name(row.measure)}" for row in rows)]
    return Table(columns, [[name, *(row.per_class.get(name, "") for row in rows)] for name in names])


def _bar(row: Row) -> Bar:
    low, high = (row.value if edge is None else edge for edge in (row.low, row.high))
    group = row.label
    if row.protocol in WHOLE_NETWORK:  # with the same options they stand together
        group = request_label(" or ".join(WHOLE_NETWORK), {k: v for k, v in row.options.items() if k != "lr"})
    return Bar(group, row.system, row.value, low, high)


def _baseline(rows: Sequence[Row]) -> dict[str, float] | None:
    for row in rows[1:]:
        if row.label == rows[0].label and row.system == "log-mel statistics":
            return row.per_class
    return None
