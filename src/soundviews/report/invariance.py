"""How far transformations move h, as a figure, a table and a section of a report."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from soundviews.evaluation.result import Row, means
from soundviews.report.figures import CYCLE, INK, STYLE, WIDTH, new_figure, percent
from soundviews.report.html import Figure, Section, Table
from soundviews.report.words import measure_name

Figures = Mapping[str, Mapping[str, float]]
"""By transformation: invariance, found_again, own and unrelated, as that protocol says."""

CAPTION = (
    "Left: mean cosine between h of a clip before and after (dot), and between unrelated clips (bar). Right: how much "
    "nearer the dot is to 1 than the bar: 100 %, h stays where it is; 0 %, it moves as far as to an unrelated clip."
)


def invariance_section(rows: Sequence[Row]) -> Section | None:
    """The figure and the table of what the protocol `invariance` found, one system a row; None if none is of it."""
    measured = [row for row in rows if row.protocol == "invariance"]
    if not measured:
        return None
    several = len({row.label for row in measured}) > 1
    systems = {f"{row.system}, {row.label}" if several else row.system: figures_of(row) for row in measured}
    return Section("Invariance", [Figure(invariance_figure(systems), CAPTION), invariance_table(systems)])


def figures_of(row: Row) -> Figures:
    """Figures by transformation, the mean over the runs of a row of the protocol `invariance`."""
    runs = [score.details["transformations"] for of_seed in row.scores for score in of_seed]
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: means([run[name] for run in runs if name in run]) for name in names}


def invariance_table(systems: Mapping[str, Figures]) -> Table:
    """A row for each transformation of each system."""
    keys = ("invariance", "found_again", "own", "unrelated")
    rows = [
        [name, system, *(f"{figures[name][key]:.3f}" for key in keys)]
        for name in _names(systems)
        for system, figures in systems.items()
        if name in figures
    ]
    return Table(("transformation", "system", *map(measure_name, keys)), rows)


def invariance_figure(systems: Mapping[str, Figures]) -> Drawing:
    """Transformations below each other, a line in its colour for each system: similarities, and beside them invariance.

    Args:
        systems: Figures by the system's name.
    """
    names, count = _names(systems), len(systems)
    step = 0.8 / count
    with rc_context(STYLE):
        figure = new_figure(WIDTH, 1.0 + len(names) * (0.15 * count + 0.16))
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        for number, (system, figures) in enumerate(systems.items()):
            positions = np.arange(len(names)) + (number + 0.5) * step - 0.4
            before_and_after, unrelated, invariance = (
                np.array([figures.get(name, {}).get(key, np.nan) for name in names])
                for key in ("own", "unrelated", "invariance")
            )
            colour = CYCLE[number % len(CYCLE)]
            left.hlines(positions, unrelated, before_and_after, color=colour, linewidth=1.6, alpha=0.45)
            left.plot(unrelated, positions, "|", color=colour, markersize=6, markeredgewidth=1.6)
            left.plot(before_and_after, positions, "o", color=colour, markersize=4.5, label=system)
            right.barh(positions, np.fmax(invariance, 0), step * 0.86, color=colour)
            _write(right, positions, invariance)
        left.set_yticks(range(len(names)), names)
        left.set_ylim(len(names) - 0.45, -0.55)
        left.set_xlabel("cosine: unrelated clips (bar), before and after (dot)")
        right.set_xlabel("invariance")
        right.set_xlim(0, 1.16)
        right.set_xticks(np.linspace(0, 1, 5))
        right.xaxis.set_major_formatter(percent)
        right.tick_params(axis="y", length=0)
        for axes in (left, right):
            axes.grid(axis="x", color="#e5e5e5", linewidth=0.6)
            axes.set_axisbelow(True)
            for row in range(1, len(names)):
                axes.axhline(row - 0.5, color="#eeeeee", linewidth=0.6)
        figure.legend(frameon=False, loc="outside upper left", ncols=min(count, 4), fontsize=8)
        return figure


def _write(axes: Axes, positions: np.ndarray, values: np.ndarray) -> None:
    """Each value in percent at the end of its bar; a dash where there is none."""
    for position, value in zip(positions, values, strict=True):
        text = "–" if np.isnan(value) else f"{100 * value:.0f}"
        end = (np.fmax(value, 0), position)
        axes.annotate(text, end, (3, 0), textcoords="offset points", va="center", fontsize=7, color=INK)


def _names(systems: Mapping[str, Figures]) -> list[str]:
    return list(dict.fromkeys(name for figures in systems.values() for name in figures))
