"""What the protocols make of each class: a table, F1 side by side (acl, Fig. 3) and confusions (acl, Fig. 4)."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from soundviews.evaluation.result import Evaluation, Row
from soundviews.report.figures import CYCLE, class_bars, confusion_matrix, save_svg
from soundviews.report.html import Figure, Table
from soundviews.report.words import class_measure_name

MOST_CLASSES = 100  # a page of bars; tables have them all
CONFUSIONS = "Of each true class (row), the share of its clips taken for each class (column): {0}."
SEVERAL_LABELS = " Where clips have several labels, the class with the highest score is counted against each of them."


def class_clips(evaluation: Evaluation) -> Counter[str]:
    """Test clips of each class, those that could not be read left out; empty where they are not known."""
    readable = (clip for clip in evaluation.clips if clip.path not in evaluation.unreadable)
    return Counter(name for clip in readable for name in clip.labels)


def class_table(rows: Sequence[Row], clips: Mapping[str, int]) -> Table:
    """Every class by every row, the first row's worst first; empty where a class could not be judged.

    Args:
        clips: Test clips of each class; without any the column is left out.
    """
    names = sorted(dict.fromkeys(name for row in rows for name in row.per_class))
    names.sort(key=lambda name: rows[0].per_class.get(name, 2.0))
    columns = ["class", *(f"{row.label}, {row.system}: {class_measure_name(row.measure)}" for row in rows)]
    table = [[name, *(row.per_class.get(name, "") for row in rows)] for name in names]
    if clips:
        columns.insert(1, "test clips")
        for line in table:
            line.insert(1, clips.get(str(line[0]), 0))
    return Table(columns, table)


def class_figures(
    rows: Sequence[Row], classes: Sequence[str], clips: Mapping[str, int] | None = None
) -> dict[str, Figure]:
    """By a name that can be a file's: every class's F1, one colour a row, then each row's confusions.

    All rows stand in one figure if there are colours enough, else those of a protocol; none for rows that classify
    nothing, for a single class or for more than `MOST_CLASSES`.

    Args:
        classes: Names in the order of the confusions.
        clips: Test clips of each class, written beside its name.
    """
    figures: dict[str, Figure] = {}
    for title, part in _together([row for row in rows if 1 < len(row.f1) <= MOST_CLASSES]):
        systems = {_name(row, part): row.f1 for row in part}
        drawing = class_bars(systems, "F1", clips)
        beside = " In brackets: its test clips." if clips else ""
        caption = f"F1 of each class, the first system's worst first.{beside} {title}".rstrip()
        figures[f"f1-{_slug(title)}" if title else "f1"] = Figure(drawing, caption)
    for row in rows:
        if row.confusion is not None and len(classes) > 1:
            drawing, title = confusion_matrix(row.confusion, classes), f"{row.system}, {row.label}"
            said = any(name.startswith("confusion") for name in figures)
            caption = CONFUSIONS.format(title) + ("" if said else SEVERAL_LABELS)
            figures[_free(f"confusion-{_slug(title)}", figures)] = Figure(drawing, caption)
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
