"""Evaluations and comparisons that draw themselves: in a terminal, in a notebook, and as text."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group
from rich.text import Text as RichText

from soundviews.evaluation.compare import Comparison
from soundviews.evaluation.result import Evaluation
from soundviews.report.html import Table, Text, rendered
from soundviews.report.tables import about_tests, figures_tables, protocol_tables, remarks, result_table, title
from soundviews.report.terminal import as_text, drawn


class ShownEvaluation(Evaluation):
    """An evaluation that draws itself. written: the files that it was kept in, if any."""

    written: Sequence[Path] = ()

    def __rich__(self) -> Group:
        return Group(drawn(self), *map(RichText, remarks(self)))

    def __repr__(self) -> str:
        return as_text(self.__rich__())

    def _repr_html_(self) -> str:
        results = protocol_tables(self) if isinstance(self, Comparison) else [result_table(self)]
        parts: list[Text | Table] = []
        for table in (*results, *figures_tables(self.rows)):
            parts += [Text(table.title), Table(table.columns, table.rows, table.caption)]
        if isinstance(self, Comparison):
            parts = [Text(title(self)), *parts, Text(about_tests(self))]
        return rendered([*parts, *map(Text, remarks(self))])


class ShownComparison(ShownEvaluation, Comparison):
    """A comparison that draws itself."""
