"""Results as rich draws them in a terminal."""

import io
from collections.abc import Iterable
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from soundviews.core import messages
from soundviews.evaluation.compare import Comparison
from soundviews.evaluation.result import Evaluation
from soundviews.report.tables import TextTable, about_tests, figures_tables, protocol_tables, result_table, title

LEFT: Any = {"title_justify": "left", "caption_justify": "left", "box": SIMPLE_HEAD, "padding": 0}


def drawn(evaluation: Evaluation) -> Group:
    """The tables of an evaluation or a comparison: the results, then what else was measured."""
    results = _comparison(evaluation) if isinstance(evaluation, Comparison) else [_evaluation(evaluation)]
    figures = [_figures(table) for table in figures_tables(evaluation.rows, intervals=False)]
    return Group(*results, *figures)


def as_text(renderable: RenderableType) -> str:
    """What a terminal would show, without colours."""
    console = Console(file=io.StringIO(), color_system=None, force_jupyter=False)  # in a notebook it would display
    with console.capture() as capture:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _text(text: str, lines: bool = True) -> Text:
    """A text with the names of classes and recordings in it, which other people may have given."""
    return Text(messages.shown(text, lines))


def _cells(row: Iterable[str]) -> list[Text]:
    return [_text(cell, lines=False) for cell in row]


def _evaluation(evaluation: Evaluation) -> Table:
    shown = result_table(evaluation)
    table = Table(title=_text(shown.title), caption=_text(shown.caption), title_justify="left")
    for name in shown.columns[:3]:
        table.add_column(name, overflow="fold")
    table.add_column("value", justify="right")
    table.add_column("95 % interval")
    for *texts, between, over, _ in shown.rows:
        table.add_row(*_cells(texts), Text(f"{between}\n{over}" if over else ""))
    return table


def _comparison(comparison: Comparison) -> list[RenderableType]:
    """A table for each protocol, and what the figures are."""
    parts: list[RenderableType] = [_text(title(comparison)), _text("; ".join(comparison.tasks))]
    for shown in protocol_tables(comparison):
        table = Table(title=_text(shown.title), caption=_text(shown.caption), **LEFT)
        table.add_column(_text(shown.columns[0]), overflow="fold")
        for column, name in enumerate(shown.columns[1:], 1):
            table.add_column(_text(name), justify="right", min_width=max(len(row[column]) for row in shown.rows))
        for row in shown.rows:
            table.add_row(*_cells(row))
        parts += [Text(""), table]
    return [*parts, *([_text(f"\n{about_tests(comparison)}")] if comparison.differences else [])]


def _figures(shown: TextTable) -> Table:
    table = Table(title=_text(shown.title), **LEFT)
    for column, name in enumerate(shown.columns):
        table.add_column(_text(name), justify="left" if column < 2 else "right", overflow="fold")
    for row in shown.rows:
        table.add_row(*_cells(row))
    return table
