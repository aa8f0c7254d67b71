"""A comparison as a report, as a figure and as a table for other programs."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure as Drawing

from soundviews.evaluation.compare import Comparison
from soundviews.evaluation.result import Row
from soundviews.report.classes import class_clips, class_figures, class_table, write_figures
from soundviews.report.evaluation import figures_section, missing_sections
from soundviews.report.figures import Bar, protocol_bars
from soundviews.report.headline import headline
from soundviews.report.html import Figure, Part, Section, Table, Text, write_report
from soundviews.report.invariance import invariance_section
from soundviews.report.mistakes import mistakes_section
from soundviews.report.tables import about_tests, protocol_tables
from soundviews.report.words import measure_names


def write_comparison(directory: Path, comparison: Comparison) -> list[Path]:
    """`compare.csv` (all figures in the last columns), `report.html` with all there is, and its figures as SVG."""
    table = directory / "compare.csv"
    records = [record | {"seconds": round(record["seconds"], 1)} for record in comparison.records()]
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for record in records for name in record)))
        writer.writeheader()
        writer.writerows(records)
    figures = comparison_figures(comparison)
    sections = comparison_sections(comparison, figures)
    page = write_report(directory / "report.html", _title(comparison), sections, headline(comparison))
    return [table, page, *write_figures(directory, figures)]


def comparison_figures(comparison: Comparison) -> dict[str, Figure]:
    """By name: `compare`, the values with their intervals; F1 of the classes, the systems side by side (acl, Fig. 3);
    every system's confusions (acl, Fig. 4); `invariance`, where it was measured."""
    caption = f"95 % intervals. {'; '.join(comparison.tasks)}"
    figures = {"compare": Figure(comparison_figure(comparison.rows), caption)}
    figures |= class_figures(comparison.rows, comparison.classes, class_clips(comparison))
    if invariance := invariance_section(comparison.rows):
        figures["invariance"] = next(part for part in invariance.parts if isinstance(part, Figure))
    return figures


def comparison_sections(comparison: Comparison, figures: Mapping[str, Figure]) -> list[Section]:
    """Results with differences from the first system; all figures; classes; mistaken clips; invariance; failures; the
    unreadable."""
    parts: list[Part] = [figures["compare"]]
    for title, columns, rows, caption in protocol_tables(comparison):
        parts += [Text(title), Table(columns, rows, f"Intervals of the values: {caption}" if caption else "")]
    parts += [Text(text) for text in (about_tests(comparison), *comparison.notes) if text]
    sections = [Section("Results", parts), *figures_section(comparison.rows)]
    drawn = [figure for name, figure in figures.items() if name.startswith(("f1", "confusion"))]
    classes: list[Part] = [*_class_tables(comparison), *drawn]
    if classes:
        sections.append(Section("Classes", classes))
    best_first = sorted(comparison.rows, key=lambda row: (row.label != comparison.rows[0].label, -row.value))
    more = mistakes_section(comparison, best_first), invariance_section(comparison.rows)
    sections += [section for section in more if section]
    return [*sections, *missing_sections(comparison)]


def _class_tables(comparison: Comparison) -> list[Table]:
    """For each protocol that judges several classes, every class by every system."""
    clips, judging = class_clips(comparison), [row for row in comparison.rows if row.protocol != "invariance"]
    labels = dict.fromkeys(row.label for row in judging)
    tables = [class_table([row for row in judging if row.label == label], clips) for label in labels]
    return [table for table in tables if len(table.rows) > 1]


def comparison_figure(rows: Sequence[Row]) -> Drawing:
    """Every protocol's systems side by side."""
    bars = []
    for row in rows:
        low, high = (row.value if edge is None else edge for edge in (row.low, row.high))
        bars.append(Bar(row.label, row.system, row.value, low, high))
    return protocol_bars(bars, measure_names(row.measure for row in rows))


def _title(comparison: Comparison) -> str:
    return f"{len(comparison.systems)} systems on {comparison.data}"
