"""Spectrograms on axes that people read: seconds, hertz, decibels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from soundviews.features import FrontEnd

TICKS = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)  # Hz
CLOSEST = 1 / 9  # of the axis, between two ticks


class Units(NamedTuple):
    """What a patch's axes and values are.

    hop_seconds: Time from frame to frame. hertz: The bands' centres, rising. decibels: dB in one unit of the values.
    None where it is not known.
    """

    hop_seconds: float
    hertz: Sequence[float] | None = None
    decibels: float | None = None


def units_of(front_end: FrontEnd, sample_rate: int) -> Units:
    """The units of what a front-end makes of waveforms of this sample rate, Hz."""
    return Units(front_end.hop_length / sample_rate, front_end.hertz, front_end.decibels)


def draw_patch(axes: Axes, patch: NDArray[np.float32], units: Units, low: float, high: float) -> AxesImage:
    """A patch (frames, bands), time to the right in seconds, colours from `low` to `high`, frequencies as ticks."""
    frames, bands = patch.shape
    extent = (0, frames * units.hop_seconds, 0, bands)
    image = axes.imshow(patch.T, origin="lower", aspect="auto", cmap="magma", vmin=low, vmax=high, extent=extent)
    if units.hertz is not None:
        chosen = _ticks(units.hertz)
        axes.set_yticks(np.interp(chosen, units.hertz, np.arange(bands) + 0.5), [_written(tick) for tick in chosen])
    return image


def frequency_unit(units: Units) -> str:
    """The unit of the frequency axis."""
    return "band" if units.hertz is None else "Hz"


def _ticks(hertz: Sequence[float]) -> list[int]:
    """Round frequencies among the bands, the highest first choice, none too close to the next."""
    chosen: list[int] = []
    position = np.arange(len(hertz)) / len(hertz)
    for tick in reversed(TICKS):
        here = np.interp(tick, hertz, position)
        if hertz[0] <= tick <= hertz[-1] and all(np.interp(one, hertz, position) - here >= CLOSEST for one in chosen):
            chosen.append(tick)
    return chosen[::-1]


def _written(hertz: int) -> str:
    return f"{hertz // 1000}k" if hertz >= 1000 else str(hertz)
