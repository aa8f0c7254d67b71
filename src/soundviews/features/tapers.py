"""The tapers of a Fourier transform, periodic, equal to scipy's; `scipy.signal` takes a second to import."""

import numpy as np
from numpy.typing import NDArray

from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import nearest

# Coefficients a_k of sum_k a_k cos(k t), t from -pi to pi.
_COSINES = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 1.0 - 0.54),
    "blackman": (0.42, 0.50, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


def tapers() -> list[str]:
    """The names that `taper` knows."""
    return sorted((*_COSINES, "bartlett"))


def taper(name: str, length: int) -> NDArray[np.float64]:
    """The periodic taper `name` of so many samples: one period of it, without the last sample of the symmetric one.

    Raises:
        SoundviewsError: The name is none of `tapers()`.
    """
    if name not in tapers():
        raise SoundviewsError(f"log_mel: unknown window {name!r}: {nearest(name, tapers())}")
    if length == 1:
        return np.ones(1)
    if name == "bartlett":
        return 1.0 - np.abs(2.0 * np.arange(length) / length - 1.0)
    angle = np.linspace(-np.pi, np.pi, length + 1)[:-1]
    result = np.zeros(length)
    for k, coefficient in enumerate(_COSINES[name]):
        result += coefficient * np.cos(k * angle)
    return result
