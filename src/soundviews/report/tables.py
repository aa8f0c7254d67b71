"""The figures of results as tables of text, for the terminal, notebooks and pages."""

from collections.abc import Sequence
from typing import NamedTuple

from soundviews.evaluation.compare import Comparison, Difference
from soundviews.evaluation.intervals import over_repetitions
from soundviews.evaluation.result import Evaluation, Row
from soundviews.report.words import measure_name


class TextTable(NamedTuple):
    """rows: as many cells each as there are columns; title and caption: above and below it, maybe empty."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    caption: str = ""


def result_table(evaluation: Evaluation) -> TextTable:
    """A line for each row: protocol, system, measure, value, interval, what it is over, seconds."""
    columns = ["protocol", "system", "measure", "value", "95 % interval", "over", "seconds"]
    rows = [
        [row.label, row.system, measured(row), *value_cells(row), row.interval, f"{row.seconds:.1f}"]
        for row in evaluation.rows
    ]
    return TextTable(title(evaluation), columns, rows, "; ".join(evaluation.tasks))


def protocol_tables(comparison: Comparison) -> list[TextTable]:
    """A table for each protocol: system, value, interval, difference, its interval, corrected p.

    The caption says what the values' intervals are over.
    """
    columns = ["system", "value", "95 % interval", f"minus {comparison.systems[0].name}", "95 % interval", "p"]
    tables = []
    for label in dict.fromkeys(row.label for row in comparison.rows):
        rows = [row for row in comparison.rows if row.label == label]
        lines = [[row.system, *value_cells(row), *_difference_cells(comparison.difference(row))] for row in rows]
        overs = dict.fromkeys(row.interval for row in rows if row.interval)
        notes = [f"{over}: {', '.join(row.system for row in rows if row.interval == over)}" for over in overs]
        caption = "; ".join(notes if len(notes) > 1 else overs)
        tables.append(TextTable(f"{label}: {measured(rows[0])}", columns, lines, caption))
    return tables


def figures_tables(rows: Sequence[Row], intervals: bool = True) -> list[TextTable]:
    """Protocol, system and each figure's mean over the runs; a table for each set of figures.

    Rows with a single figure are left out: the table of the results has it.

    Args:
        intervals: Whether 95 % intervals stand behind the means: over pretrainings, seeds or folds (Student t); a
            row that ran once has none.
    """
    tables = []
    for metrics in dict.fromkeys(tuple(row.metrics) for row in rows if len(row.metrics) > 1):
        lines, overs = [], []
        for row in rows:
            if tuple(row.metrics) != metrics:
                continue
            between = {metric: over_repetitions(row.runs, metric) if intervals else None for metric in metrics}
            cells = [
                f"{row.metrics[metric]:.3f}" + (f" ({interval.low:.3f} to {interval.high:.3f})" if interval else "")
                for metric, interval in between.items()
            ]
            lines.append([row.label, row.system, *cells])
            overs += [interval.over for interval in between.values() if interval]
        columns = ["protocol", "system", *map(measure_name, metrics)]
        over = "; ".join(dict.fromkeys(overs))
        tables.append(TextTable("All figures", columns, lines, f"In brackets 95 % intervals: {over}" if over else ""))
    return tables


def title(evaluation: Evaluation) -> str:
    """What was judged, on what."""
    return f"{evaluation.model} on {evaluation.data}"


def about_tests(comparison: Comparison) -> str:
    """What the differences and p-values are, in a few words; empty where there are none."""
    if not comparison.differences:
        return ""
    over = ", ".join(dict.fromkeys(f"{less.over} ({less.protocol})" for less in comparison.differences))
    first = comparison.systems[0].name
    return (
        f"Differences from {first} on the same test clips, paired over {over}: bootstrap interval, "
        "p of the sign-flip permutation test, corrected for the systems of a protocol (Holm). They speak for "
        "these encoders on more such clips or classes, not for other pretrainings."
    )


def remarks(evaluation: Evaluation) -> list[str]:
    """What a reader must know beside the tables: notes, and what failed."""
    return [
        *(f"note: {note}" for note in evaluation.notes),
        *(f"failed: {failure}" for failure in evaluation.failures),
    ]


def measured(row: Row) -> str:
    """What was measured, in words; with chance, where the protocol knows it."""
    chance = row.details.get("chance")
    return measure_name(row.measure) + (f" (chance {chance:.3f})" if chance is not None else "")


def value_cells(row: Row) -> list[str]:
    """The row's value, and its interval or nothing."""
    return [f"{row.value:.3f}", "" if row.low is None or row.high is None else f"{row.low:.3f} to {row.high:.3f}"]


def _difference_cells(less: Difference | None) -> list[str]:
    if less is None:
        return ["", "", ""]
    return [f"{less.difference:+.3f}", f"{less.low:+.3f} to {less.high:+.3f}", f"{less.p_holm:.4f}"]
