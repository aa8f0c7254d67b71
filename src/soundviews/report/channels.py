"""The picture of a separation: what a mixture is taken apart into as a separator learns (ssep, Fig. 2)."""

from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from soundviews.report.figures import STYLE, WIDTH


def channel_spectrograms(
    mixture: NDArray[np.float32],
    channels: Mapping[str, NDArray[np.float32]],
    hop_seconds: float,
    notes: Mapping[str, str] | None = None,
) -> Figure:
    """The mixture at the top left, below it a row for each processor with a panel for each of its channels.

    All share the mixture's scale of colours: what is fainter than the mixture is darker, too.

    Args:
        mixture: (frames, mels) log-mel.
        channels: Processor to (channels, frames, mels), in the order of the rows.
        hop_seconds: Time from frame to frame.
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
                _draw(grid[number], panel, hop_seconds, scale, f"channel {number}" if name in channels else "")
                grid[number].tick_params(left=number == 0, labelleft=number == 0)
            grid[0].set_ylabel("mel band")
        for axes in grid[: len(panels)]:
            axes.set_xlabel("s")
        return figure


def _draw(axes: Axes, patch: NDArray[np.float32], hop_seconds: float, scale: tuple[float, float], label: str) -> None:
    extent = (0, patch.shape[0] * hop_seconds, 0, patch.shape[1])
    axes.imshow(patch.T, origin="lower", aspect="auto", cmap="magma", vmin=scale[0], vmax=scale[1], extent=extent)
    axes.text(0.98, 0.93, label, transform=axes.transAxes, ha="right", va="top", color="white", fontsize=7)
