"""The picture of a separation: what a mixture is taken apart into as a separator learns (ssep, Fig. 2)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from soundviews.report.figures import STYLE, WIDTH
from soundviews.report.spectrograms import Units, draw_patch, frequency_unit

LABEL: Any = {
    "ha": "right",
    "va": "top",
    "color": "white",
    "fontsize": 7,
    "bbox": {"facecolor": "black", "alpha": 0.5, "linewidth": 0, "pad": 1.5},  # read on bright sound, too
}


def channel_spectrograms(
    mixture: NDArray[np.float32],
    channels: Mapping[str, NDArray[np.float32]],
    units: Units,
    notes: Mapping[str, str] | None = None,
) -> Figure:
    """The mixture at the top left, below it a row for each processor with a panel for each of its channels.

    All share the mixture's scale of colours: what is fainter than the mixture is darker, too. Where the values are
    decibels, a bar says how many below the mixture's loudest.

    Args:
        mixture: (frames, mels) log-mel.
        channels: Processor to (channels, frames, mels), in the order of the rows.
        units: Of all of them.
        notes: Processor to what is said beside its name.
    """
    low, high = (float(level) for level in np.percentile(mixture, (1, 99.8)))
    scale = (low, max(high, low + 1))  # silence has one level only
    rows = {"mixture": mixture[None], **channels}
    columns = max(len(panels) for panels in rows.values())
    with rc_context(STYLE):
        figure = Figure(figsize=(max(WIDTH, 1.7 * columns), 1.55 * len(rows) + 0.25), layout="constrained")
        FigureCanvasAgg(figure)
        heights = [1.0] * len(channels) + [1.15]  # the last row has the unit below it
        parts = figure.subfigures(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
        for part, (name, panels) in zip(parts, rows.items(), strict=True):
            part.suptitle(f"{name}   {(notes or {}).get(name, '')}".rstrip(), x=0.01, ha="left", fontsize=9)
            grid = part.subplots(1, columns, squeeze=False)[0]
            for axes in grid[len(panels) :]:
                axes.set_axis_off()
            for number, panel in enumerate(panels):
                image = draw_patch(grid[number], panel, units, *scale)
                label = f"channel {number}" if name in channels else ""
                grid[number].text(0.98, 0.93, label, transform=grid[number].transAxes, **LABEL)
                grid[number].tick_params(left=number == 0, labelleft=number == 0, labelsize=8)
            grid[0].set_ylabel(frequency_unit(units))
            if name == "mixture" and columns > 1 and units.decibels is not None:
                _colour_bar(grid[1], image, units.decibels)
        for axes in grid[: len(panels)]:
            axes.set_xlabel("seconds")
        return figure


def _colour_bar(empty: Axes, image: AxesImage, decibels: float) -> None:
    """In the panel beside the mixture: a round number of dB from tick to tick, down from the loudest."""
    low, high = image.get_clim()
    span = (high - low) * decibels
    step = max(10, 10 * round(span / 40))
    down = np.arange(0, span + 1e-6, step)
    axes = empty.inset_axes((0.03, 0.05, 0.04, 0.9))
    bar = empty.figure.colorbar(image, cax=axes)
    bar.set_ticks(list(high - down / decibels), labels=[f"{-one:.0f}" if one else "0" for one in down])
    bar.set_label("dB from the loudest", fontsize=8)
    bar.ax.tick_params(labelsize=8)
