"""A comparison as a report, as a figure and as a table for other programs."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure as Drawing

from soundviews.evaluation.compare import Comparison
from soundviews.evaluation.runner import MEASURES, Row
from soundviews.report.classes import class_figures, write_figures
from soundviews.report.evaluation import figures_section
from soundviews.report.figures import Bar, protocol_bars
from soundviews.report.html import Figure, Section, Table, Text, write_report
from soundviews.report.invariance import invariance_section

COLUMNS = (
    "protocol system measure value low high interval difference difference_low difference_high p p_holm paired seconds"
)


def write_comparison(directory: Path, comparison: Comparison) -> list[Path]:
    """`compare.csv` (all figures in the last columns), `report.html` with all there is, and its figures as SVG."""
    table = directory / "compare.csv"
    names = list(dict.fromkeys(name for row in comparison.rows for name in row.metrics))
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS.split(), *names])
        writer.writerows(_fields(comparison, row, names) for row in comparison.rows)
    best = max((row for row in comparison.rows if row.label == comparison.rows[0].label), key=lambda row: row.value)
    lead = f"Best by {best.label}: {best.system}, {MEASURES.get(best.measure, best.measure)} {best.value:.3f}."
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
    for title, columns, rows, caption in comparison.by_protocol():
        parts += [Text(title), Table(columns, rows, f"Intervals of the values: {caption}" if caption else "")]
    parts += [Text(text) for text in (comparison.about_tests(), *comparison.notes) if text]
    sections = [Section("Results", parts), *figures_section(comparison.rows)]
    if of_classes := [figure for name, figure in figures.items() if name.startswith(("f1", "confusion"))]:
        sections.append(Section("Classes", of_classes))
    if invariance := invariance_section(comparison.rows):
        sections.append(invariance)
    if comparison.failures:
        failed = [(one.system, one.run, one.protocol or "all", one.reason) for one in comparison.failures]
        sections.append(Section("Not judged", [Table(("system", "run", "protocol", "reason"), failed)]))
    if comparison.unreadable:
        sections.append(Section("Unreadable clips", [Table(("clip", "reason"), list(comparison.unreadable.items()))]))
    return sections


def comparison_figure(rows: Sequence[Row]) -> Drawing:
    """Every protocol's systems side by side."""
    bars = []
    for row in rows:
        low, high = (row.value if edge is None else edge for edge in (row.low, row.high))
        bars.append(Bar(row.label, row.system, row.value, low, high))
    return protocol_bars(bars, " or ".join(dict.fromkeys(MEASURES.get(row.measure, row.measure) for row in rows)))


def _fields(comparison: Comparison, row: Row, names: Sequence[str]) -> list[Any]:
    """A row of the CSV with the figures of these names; empty cells where there is none."""
    found = comparison.difference(row)
    tested = found and (found.difference, found.low, found.high, found.p, found.p_holm, found.over)
    own = (row.label, row.system, row.measure, row.value, row.low, row.high, row.interval)
    return [*own, *(tested or [None] * 6), round(row.seconds, 1), *(row.metrics.get(name) for name in names)]


def _title(comparison: Comparison) -> str:
    return f"{len(comparison.systems)} systems on {comparison.data}"
