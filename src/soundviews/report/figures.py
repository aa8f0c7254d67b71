"""The figures of a report. Colours are Okabe and Ito's, which colour-blind readers can tell apart."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from soundviews.report.spectrograms import Units, draw_patch, frequency_unit
from soundviews.report.words import is_share, unit_of

BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, GREY = "#0072B2 #E69F00 #009E73 #CC79A7 #56B4E9 #D55E00 #8A8A8A".split()  # noqa: SIM905
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
INK = "#222222"
STYLE: Any = {
    "font.size": 9,
    "text.parse_math": False,  # a dollar sign in a class's name is one
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#777777",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
}
WIDTH = 7.6  # inches; the report's column
LONGEST_LINE = 24  # characters of a label beside an axis, which must leave room for the bars
MOST_TICKS = 60  # classes whose names are still readable along a side


class Bar(NamedTuple):
    """One result. group: what bars stand together for (a protocol); series: what the colour says (an encoder);
    value: at most 1, below 0 only for invariance; low, high: the interval, equal to the value where there is none."""

    group: str
    series: str
    value: float
    low: float
    high: float


def training_curves(curves: Mapping[str, Sequence[tuple[int, float]]], columns: int = 2) -> Figure:
    """Small multiples of a run's metrics over its steps, shares in percent.

    Args:
        curves: Metric to [(step, value), ...], as `read_metrics` gives them.
        columns: Panels beside each other.
    """
    rows = -(-len(curves) // columns)
    with rc_context(STYLE):
        figure = new_figure(WIDTH, 0.4 + 1.9 * max(rows, 1))
        for number, (name, points) in enumerate(curves.items(), 1):
            axes = figure.add_subplot(rows, columns, number)
            steps, values = np.asarray(points, dtype=float).reshape(-1, 2).T
            many = len(values) > 40
            axes.plot(steps, values, color=BLUE, linewidth=0.6 if many else 1.6, alpha=0.35 if many else 1)
            if many:
                axes.plot(steps, _smooth(values), color=BLUE, linewidth=1.6)
            if len(values) < 12:
                axes.plot(steps, values, "o", color=BLUE, markersize=3)
            axes.set_title(name)
            axes.set_ylabel(unit_of(name))
            if is_share(name):
                axes.yaxis.set_major_formatter(percent)
            axes.grid(axis="y", color="#e5e5e5", linewidth=0.6)
            if number > len(curves) - columns:
                axes.set_xlabel("training step")
            axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        return figure


def view_patches(
    anchor: NDArray[np.float32], positive: NDArray[np.float32], units: Units, names: Sequence[str] = ()
) -> Figure:
    """What the two branches make of the same clips: a column for each clip, anchor above positive.

    The axes are those of the patch that the encoder reads, in which a resized crop takes the whole height and length.

    Args:
        anchor, positive: (examples, frames, mels) log-mel patches.
        units: Of the patches.
        names: A title for each column.
    """
    examples = len(anchor)
    with rc_context(STYLE):
        figure = new_figure(WIDTH, 3.6)
        grid = figure.subplots(2, examples, squeeze=False, sharex=True, sharey=True)
        for row, (branch, patches) in enumerate((("anchor", anchor), ("positive", positive))):
            for column in range(examples):
                axes, patch = grid[row][column], patches[column]
                low, high = (float(level) for level in np.percentile(patch, (1, 99.5)))
                draw_patch(axes, patch, units, low, high)
                if row == 0 and names:
                    axes.set_title(_shorten(names[column], 26 * 4 // examples), fontsize=8)
                if row == 1:
                    axes.set_xlabel("seconds")
                if column == 0:
                    axes.set_ylabel(f"{branch}\n{frequency_unit(units)}")
        return figure


def per_class_bars(
    per_class: Mapping[str, float],
    measure: str,
    baseline: Mapping[str, float] | None = None,
    clips: Mapping[str, int] | None = None,
) -> Figure:
    """A bar for each class, worst first, with the log-mel statistics' value as a mark on it.

    Args:
        clips: Test clips of each class, written beside its name.
    """
    names = sorted(per_class, key=lambda name: per_class[name])
    positions = np.arange(len(names))
    with rc_context(STYLE):
        figure = new_figure(WIDTH, 0.7 + 0.17 * len(names))
        axes = figure.add_subplot()
        axes.barh(positions, [per_class[name] for name in names], color=BLUE, height=0.72)
        if baseline:
            values = [baseline.get(name, np.nan) for name in names]
            style: Any = {"color": VERMILION, "markersize": 9, "markeredgewidth": 2}
            axes.plot(values, positions, "|", label="log-mel statistics", **style)
            figure.legend(frameon=False, loc="outside upper left", fontsize=8)
        _class_axes(axes, names, measure, clips)
        return figure


def class_bars(
    systems: Mapping[str, Mapping[str, float]], measure: str, clips: Mapping[str, int] | None = None
) -> Figure:
    """Classes below each other, a bar in its colour for each system (acl, Fig. 3); the first system's worst on top.

    Args:
        systems: Values between 0 and 1 by class, for each system; a class that one lacks has no bar there.
        measure: What they are.
        clips: Test clips of each class, written beside its name.
    """
    first = next(iter(systems.values()))
    classes = sorted(dict.fromkeys(name for values in systems.values() for name in values))
    classes.sort(key=lambda name: first.get(name, 2.0))
    height = 0.8 / len(systems)
    with rc_context(STYLE):
        figure = new_figure(WIDTH, 0.9 + len(classes) * (0.1 + 0.09 * len(systems)))
        axes = figure.add_subplot()
        for number, (system, values) in enumerate(systems.items()):
            positions = np.arange(len(classes)) + (number + 0.5) * height - 0.4
            widths = [values.get(name, np.nan) for name in classes]
            axes.barh(positions, widths, height * 0.9, color=CYCLE[number % len(CYCLE)], label=system)
        _class_axes(axes, classes, measure, clips)
        figure.legend(frameon=False, loc="outside upper left", ncols=min(3, len(systems)), fontsize=8)
        return figure


def confusion_matrix(counts: ArrayLike, classes: Sequence[str]) -> Figure:
    """Share of each true class's clips (row) that were taken for each class (column).

    Args:
        counts: Clips by true (row) and predicted class, (classes, classes).
        classes: Their names.
    """
    clips, count = np.asarray(counts, dtype=np.float64), len(classes)
    shares = clips / np.maximum(clips.sum(axis=1, keepdims=True), 1)
    with rc_context(STYLE):
        side = min(WIDTH, 2.2 + 0.22 * count)
        figure = new_figure(side, 0.85 * side)
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        if count <= MOST_TICKS:
            names = [_shorten(name, 18) for name in classes]
            size = 8 if count <= 20 else 5
            axes.set_xticks(range(count), names, rotation=90, fontsize=size)
            axes.set_yticks(range(count), names, fontsize=size)
        axes.set_xlabel("taken for")
        axes.set_ylabel("is")
        if count <= 15:
            _write_shares(axes, shares)
        bar = figure.colorbar(image, ax=axes, shrink=0.6, label="share of the class's clips")
        bar.ax.yaxis.set_major_formatter(percent)
        return figure


def protocol_bars(bars: Sequence[Bar], measure: str = "") -> Figure:
    """Results side by side: a group for each protocol, a colour for each encoder, whiskers for the interval."""
    groups = list(dict.fromkeys(bar.group for bar in bars))
    series = list(dict.fromkeys(bar.series for bar in bars))
    height = 0.8 / len(series)
    with rc_context(STYLE):
        figure = new_figure(WIDTH, 0.9 + len(groups) * (0.24 * len(series) + 0.22))
        axes = figure.add_subplot()
        for number, name in enumerate(series):
            drawn = [bar for bar in bars if bar.series == name]
            positions = np.array([groups.index(bar.group) for bar in drawn]) + (number + 0.5) * height - 0.4
            values = np.array([bar.value for bar in drawn])
            spread = np.abs(np.array([(bar.low, bar.high) for bar in drawn]).T - values)
            colour = CYCLE[number % len(CYCLE)]
            again = "//" if number >= len(CYCLE) else None  # more systems than colours
            axes.barh(
                positions, values, height * 0.9, color=colour, label=name, hatch=again, edgecolor="white", linewidth=0
            )
            axes.errorbar(values, positions, xerr=spread, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
            for position, bar in zip(positions, drawn, strict=True):
                axes.annotate(
                    f"{100 * bar.value:.1f}",
                    (bar.high, position),
                    (4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=8,
                )
        axes.set_yticks(range(len(groups)), [fill(group, LONGEST_LINE) for group in groups])
        axes.set_ylim(len(groups) - 0.45, -0.55)
        lowest, highest = min(bar.value for bar in bars), max(bar.high for bar in bars)
        axes.set_xlim(min(0, 1.15 * lowest), max(0.02, min(1.08, highest * 1.15 + 0.02)))
        axes.set_xlabel(measure)
        axes.xaxis.set_major_formatter(percent)
        figure.legend(frameon=False, loc="outside upper left", ncols=min(4, len(series)), fontsize=8)
        return figure


def save_svg(drawing: Figure, file: Any) -> None:
    """Write to a path or a binary file: letters as shapes, which look the same everywhere, and no date in it."""
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "soundviews"}):
        drawing.savefig(file, format="svg", dpi=130, metadata={"Date": None})


def new_figure(width: float, height: float) -> Figure:
    """A figure without pyplot, whose global state would keep it for ever."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moving average over a twentieth of the curve, shorter at its ends."""
    width = max(3, len(values) // 20)
    window = np.ones(width)
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")


def _write_shares(axes: Axes, shares: NDArray[np.float64]) -> None:
    for row, column in np.argwhere(shares >= 0.005):
        share = shares[row, column]
        colour = "white" if share > 0.5 else INK
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=colour)


def percent(value: float, _: float) -> str:
    return f"{100 * value:.0f} %"


def _class_axes(axes: Axes, names: Sequence[str], measure: str, clips: Mapping[str, int] | None) -> None:
    """Classes below each other, the first on top, each with its number of test clips, and shares from 0 to 1."""
    labels = [_shorten(name, 40) + (f" ({clips[name]:,})" if clips and name in clips else "") for name in names]
    axes.set_yticks(range(len(names)), labels, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xlabel(measure)
    axes.xaxis.set_major_formatter(percent)
    axes.grid(axis="x", color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)


def _shorten(name: str, longest: int) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"
