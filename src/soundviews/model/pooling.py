"""From a clip's windows to one vector: a plain mean hides short sounds and counts silence, so loudness may weigh."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from soundviews.core.errors import SoundviewsError
from soundviews.features.patches import Clips

WindowPool = Literal["mean", "loudness", "max", "mean+max+std"]
"""How windows become a clip: their mean, the mean weighted by loudness, the largest value of each dimension, or mean,
largest value and deviation one behind the other, three times as long."""

Pool = Literal["auto", WindowPool]
"""As `WindowPool`; "auto" is what the encoder's bundle says, the mean where it says nothing."""

EXPONENT = 0.3  # how loud a sound seems grows with this power of its power (Stevens)
FAINTEST = 1e-7  # of the loudest window's power, 70 dB below it: no window weighs less


def window_power(clips: Clips, row: Tensor, starts: Tensor, seconds: float, sample_rate: int) -> NDArray[np.float32]:
    """The power of windows: the variance of their samples, so that a constant offset is not heard.

    Args:
        clips: What the windows were cut from.
        row: int64 (windows,), the row of each window's clip.
        starts: (windows,), seconds from the clip's start.
        seconds: Length of a window. What lies beyond the clip's end counts as silence.
        sample_rate: Hz, of the clips.

    Returns:
        (windows,); 0 in digital silence.
    """
    samples, lengths = clips.samples.cpu(), clips.lengths.tolist()
    size, firsts = max(1, round(seconds * sample_rate)), (starts.double() * sample_rate).round().long().tolist()
    power = np.zeros(len(row), dtype=np.float32)
    for window, (number, first) in enumerate(zip(row.tolist(), firsts, strict=True)):
        inside = samples[number, first : min(first + size, lengths[number])]
        if len(inside):
            power[window] = float(inside.var(correction=0)) * len(inside) / size
    return power


def loudness_weights(power: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much each window of a clip counts: its power to the 0.3, such that all together count 1; float64 (windows,).

    What is more than 70 dB below the loudest window counts as if it were 70 dB below; digital silence, too. Where
    all windows are silent, they count alike.

    Args:
        power: (windows,), as `window_power` gives it.
    """
    loudest = float(power.max())
    if not loudest > 0:
        return np.full(len(power), 1 / len(power))
    weights: NDArray[np.float64] = np.maximum(power.astype(np.float64) / loudest, FAINTEST) ** EXPONENT
    return weights / weights.sum()


def pool_windows(
    vectors: NDArray[Any],
    clip: NDArray[np.int64],
    clips: int,
    pool: WindowPool = "mean",
    power: NDArray[np.float32] | None = None,
) -> NDArray[Any]:
    """One vector for each clip.

    Args:
        vectors: (windows, dim).
        clip: (windows,), the clip of each window, rising.
        clips: How many there are; one without windows gets zeros.
        pool: How.
        power: (windows,), for loudness; None where it is not known.

    Returns:
        (clips, dim); for mean+max+std (clips, 3 * dim).

    Raises:
        SoundviewsError: loudness of clips of several windows whose power is not known.
    """
    count = np.bincount(clip, minlength=clips)
    if pool == "mean" or (pool == "loudness" and count.max(initial=0) <= 1):
        return clip_means(vectors, clip, clips)
    if pool == "loudness" and power is None:
        raise SoundviewsError("this encoder does not say how loud its windows are: pool by mean")
    dim = vectors.shape[1]
    result = np.zeros((clips, 3 * dim if pool == "mean+max+std" else dim), dtype=vectors.dtype)
    ends = count.cumsum()
    for row in np.flatnonzero(count):
        windows = slice(ends[row] - count[row], ends[row])
        of_clip = vectors[windows].astype(np.float64)
        if pool == "loudness" and power is not None:
            result[row] = loudness_weights(power[windows]) @ of_clip
        elif pool == "max":
            result[row] = of_clip.max(axis=0)
        else:
            result[row] = np.concatenate([of_clip.mean(axis=0), of_clip.max(axis=0), of_clip.std(axis=0)])
    return result


def clip_means(values: NDArray[Any], clip: NDArray[np.int64], clips: int) -> NDArray[Any]:
    """Mean over each clip's windows.

    Args:
        values: (windows, n).
        clip: (windows,), rising.
        clips: How many there are; one without windows gets zeros.
    """
    count = np.bincount(clip, minlength=clips)
    filled = np.flatnonzero(count)
    result = np.zeros((clips, values.shape[1]), dtype=values.dtype)
    if len(filled):
        first = count.cumsum() - count
        result[filled] = np.add.reduceat(values, first[filled], axis=0) / count[filled, None]
    return result
