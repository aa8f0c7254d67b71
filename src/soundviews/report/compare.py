"""A comparison as a report, as a figure and as a table for other programs."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure as Drawing

from soundviews.evaluation.compare import Comparison
from soundviews.evaluation.result import Row
from soundviews.report.classes import class_figures, write_figures
from soundviews.report.evaluation import figures_section, missing_sections
from soundviews.report.figures import Bar, protocol_bars
from soundviews.report.html import Figure, Section, Table, Text, write_report
from soundviews.report.invariance import invariance_section
from soundviews.report.tables import about_tests, protocol_tables
from soundviews.report.words import measure_name, measure_names


def write_comparison(directory: Path, comparison: Comparison) -> list[Path]:
    """`compare.csv` (all figures in the last columns), `report.html` with all there is, and its figures as SVG."""
    table = directory / "compare.csv"
    records = [record | {"seconds": round(record["seconds"], 1)} for record in comparison.records()]
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for record in records for name in record)))
        writer.writeheader()
        writer.writerows(records)
    best = max((row for row in comparison.rows if row.label == comparison.rows[0].label), key=lambda row: row.value)
    lead = f"Best by {best.label}: {best.system}, {measure_name(best.measure)} {best.value:.3f}."
    figures = comparison_figures(comparison)
    page = write_report(directory / "report.html", _title(comparison), comparison_sections(comparison, figures), lead)
    return [table, page, *write_figures(directory, figures)]


def comparison_figures(comparison: Comparison) -> dict[str, Figure]:
    """By name: `compare`, the values with their intervals; F1 of the classes, the systems side by side (acl, Fig. 3);
    every system's confusions (acl, Fig. 4); `invariance`, where it was measured."""
    caption = f"95 % intervals. {'; '.join(comparison.tasks)}"
    figures = {"compare": Figure(comparison_figure(comparison.rows), caption)}
    figures |= class_figures(comparison.rows, comparison.classes)
    if invariance := invariance_section(comparison.rows):
        figures["invariance"] = next(part for part in invariance.parts if isinstance(part, Figure))
    return figures


def comparison_sections(comparison: Comparison, figures: Mapping[str, Figure]) -> list[Section]:
    """Results with differences from the first system; all figures; classes; invariance; failures; the unreadable."""
    parts: list[Text | Table | Figure] = [figures["compare"]]
    for title, columns, rows, caption in protocol_tables(comparison):
        parts += [Text(title), Table(columns, rows, f"Intervals of the values: {caption}" if caption else "")]
    parts += [Text(text) for text in (about_tests(comparison), *comparison.notes) if text]
    sections = [Section("Results", parts), *figures_section(comparison.rows)]
    if classes := [figure for name, figure in figures.items() if name.startswith(("f1", "confusion"))]:
        sections.append(Section("Classes", classes))
    if invariance := invariance_section(comparison.rows):
        sections.append(invariance)
    return [*sections, *missing_sections(comparison)]


def comparison_figure(rows: Sequence[Row]) -> Drawing:
    """Every protocol's systems side by side."""
    bars = []
    for row in rows:
        low, high = (row.value if edge is None else edge for edge in (row.low, row.high))
        bars.append(Bar(row.label, row.system, row.value, low, high))
    return protocol_bars(bars, measure_names(row.measure for row in rows))


def _title(comparison: Comparison) -> str:
    return f"{len(comparison.systems)} systems on {comparison.data}"
