"""An evaluation as sections of a report."""

from collections.abc import Sequence
from pathlib import Path

from soundviews.evaluation.result import Evaluation, Failure, Row
from soundviews.report.classes import MOST_CLASSES, class_clips, class_figures, class_table, write_figures
from soundviews.report.figures import Bar, per_class_bars, protocol_bars
from soundviews.report.headline import group_label, headline
from soundviews.report.html import Figure, Part, Section, Table, Text, write_report
from soundviews.report.invariance import invariance_section
from soundviews.report.mistakes import mistakes_section
from soundviews.report.tables import figures_tables, result_table, title
from soundviews.report.words import measure_name, measure_names


def write_evaluation(path: str | Path, evaluation: Evaluation) -> list[Path]:
    """A page of its own, and the figures of the classes as SVG beside it."""
    page = Path(path)
    figures = class_figures(evaluation.rows, evaluation.classes, class_clips(evaluation))
    write_report(page, title(evaluation), evaluation_sections(evaluation), headline(evaluation))
    return [page, *write_figures(page.parent, figures)]


def evaluation_sections(evaluation: Evaluation) -> list[Section]:
    """The table with bars; all figures; every class by every row, with the figures of the classes; mistaken clips;
    invariance where it was measured."""
    results = result_table(evaluation)
    table = Table(results.columns, results.rows, results.caption)
    bars, measures = [_bar(row) for row in evaluation.rows], measure_names(row.measure for row in evaluation.rows)
    parts: list[Part] = [table, Figure(protocol_bars(bars, measures))]
    parts += [Text(note) for note in evaluation.notes]
    sections = [Section("Results", parts), *figures_section(evaluation.rows), *_class_sections(evaluation)]
    more = mistakes_section(evaluation, evaluation.rows), invariance_section(evaluation.rows)
    sections += [section for section in more if section]
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
    clips = class_clips(evaluation)
    if not rows or len((table := class_table(rows, clips)).rows) < 2:
        return []
    first = rows[0]
    shown: list[Part] = [table]
    if 1 < len(first.per_class) <= MOST_CLASSES:
        drawing = per_class_bars(first.per_class, measure_name(first.measure), _baseline(rows), clips)
        beside = ". In brackets: test clips of the class" if clips else ""
        shown.insert(0, Figure(drawing, f"{first.label}, {first.system}, worst class first{beside}."))
    return [Section("Classes", [*shown, *class_figures(rows, evaluation.classes, clips).values()])]


def _bar(row: Row) -> Bar:
    low, high = (row.value if edge is None else edge for edge in (row.low, row.high))
    return Bar(group_label(row), row.system, row.value, low, high)


def _baseline(rows: Sequence[Row]) -> dict[str, float] | None:
    for row in rows[1:]:
        if row.label == rows[0].label and row.system == "log-mel statistics":
            return row.per_class
    return None
