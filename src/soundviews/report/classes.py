"""What a classification makes of each class: F1 side by side (acl, Fig. 3) and confusions (acl, Fig. 4)."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from soundviews.evaluation.result import Row
from soundviews.report.figures import CYCLE, class_bars, confusion_matrix, save_svg
from soundviews.report.html import Figure

MOST_CLASSES = 100  # a page of bars; tables have them all
CONFUSIONS = (
    "Of each true class (row), the share of its clips taken for each class (column): {0}. Where clips have several "
    "labels, the class with the highest score is counted against each of them."
)


def class_figures(rows: Sequence[Row], classes: Sequence[str]) -> dict[str, Figure]:
    """By a name that can be a file's: every class's F1, one colour a row, then each row's confusions.

    All rows stand in one figure if there are colours enough, else those of a protocol; none for rows that classify
    nothing, for a single class or for more than `MOST_CLASSES`.

    Args:
        classes: Names in the order of the confusions.
    """
    figures: dict[str, Figure] = {}
    for title, part in _together([row for row in rows if 1 < len(row.f1) <= MOST_CLASSES]):
        systems = {_name(row, part): row.f1 for row in part}
        drawing = class_bars(systems, "F1")
        figures[f"f1-{_slug(title)}" if title else "f1"] = Figure(drawing, f"F1 of each class. {title}")
    for row in rows:
        if row.confusion is not None and len(classes) > 1:
            drawing, title = confusion_matrix(row.confusion, classes), f"{row.system}, {row.label}"
            figures[_free(f"confusion-{_slug(title)}", figures)] = Figure(drawing, CONFUSIONS.format(title))
    return figures


def write_figures(directory: Path, figures: dict[str, Figure]) -> list[Path]:
    """Each as an SVG by its name."""
    paths = [directory / f"{name}.svg" for name in figures]
    for path, figure in zip(paths, figures.values(), strict=True):
        save_svg(figure.drawing, path)
    return paths


def _together(rows: Sequence[Row]) -> Iterator[tuple[str, Sequence[Row]]]:
    """Rows that share a figure, with a title for them."""
    if len(rows) <= len(CYCLE):
        yield from [("", rows)] if rows else []
        return
    for label in dict.fromkeys(row.label for row in rows):
        of_protocol = [row for row in rows if row.label == label]
        for first in range(0, len(of_protocol), len(CYCLE)):
            yield f"{label}, from system {first + 1}" if first else label, of_protocol[first : first + len(CYCLE)]


def _name(row: Row, beside: Sequence[Row]) -> str:
    """The system, and its protocol where the rows beside it have others."""
    return row.system if len({other.label for other in beside}) == 1 else f"{row.system}, {row.label}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9._]+", "-", text).strip("-.")


def _free(name: str, taken: dict[str, Figure]) -> str:
    """The name, with a number if another has it."""
    number = 2
    while name in taken:
        name, number = f"{name.rsplit('~', 1)[0]}~{number}", number + 1
    return name
