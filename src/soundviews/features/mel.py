"""Mel filter banks: HTK and Slaney scales, with the triangles of librosa or of TensorFlow."""

import numpy as np

from soundviews.core.errors import SoundviewsError

# Slaney's Auditory Toolbox: linear below 1 kHz (200/3 Hz a mel), then 27 mels for every factor of 6.4.
_SLANEY_HERTZ_PER_MEL = 200.0 / 3.0
_SLANEY_BREAK = 1000.0
_SLANEY_LOG_STEP = np.log(6.4) / 27.0


def hertz_to_mel(hertz: np.ndarray | float, scale: str) -> np.ndarray:
    """Frequencies in Hz to mels on the `htk` or `slaney` scale."""
    hertz = np.asarray(hertz, dtype=np.float64)
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hertz / 700.0)
    above = np.log(np.maximum(hertz, _SLANEY_BREAK) / _SLANEY_BREAK) / _SLANEY_LOG_STEP
    return np.minimum(hertz, _SLANEY_BREAK) / _SLANEY_HERTZ_PER_MEL + above


def mel_to_hertz(mels: np.ndarray | float, scale: str) -> np.ndarray:
    """Inverse of `hertz_to_mel`."""
    mels = np.asarray(mels, dtype=np.float64)
    if scale == "htk":
        return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    break_mel = _SLANEY_BREAK / _SLANEY_HERTZ_PER_MEL
    above = np.exp(np.maximum(mels - break_mel, 0.0) * _SLANEY_LOG_STEP)
    return np.minimum(mels, break_mel) * _SLANEY_HERTZ_PER_MEL * above


def mel_centres(n_mels: int, f_min: float, f_max: float, scale: str) -> np.ndarray:
    """Centres of mel bands, float64 (n_mels,), Hz; arguments as `mel_filters` has them."""
    edges = np.linspace(hertz_to_mel(f_min, scale), hertz_to_mel(f_max, scale), n_mels + 2)
    return mel_to_hertz(edges, scale)[1:-1]


def mel_filters(
    sample_rate: int,
    n_fft: int,
    n_mels: int,
    f_min: float,
    f_max: float,
    scale: str = "htk",
    norm: str | None = None,
    triangles: str = "hertz",
) -> np.ndarray:
    """Weights (n_fft // 2 + 1, n_mels), float64, that turn a spectrum into mel bands.

    Args:
        sample_rate: Hz.
        f_min: Lower edge of the first band, Hz.
        f_max: Upper edge of the last band, Hz.
        scale: `htk` or `slaney`.
        norm: None for triangles of height 1, `slaney` for triangles of area 1 Hz.
        triangles: Where the triangles' sides are straight: over `hertz` (librosa, PANNs, uclser) or over `mel`
            (TensorFlow's `linear_to_mel_weight_matrix`, hence cola).

    Raises:
        SoundviewsError: The band edges do not lie within 0 .. sample_rate / 2.
    """
    if not 0 <= f_min < f_max <= sample_rate / 2:
        raise SoundviewsError(
            f"mel bands from {f_min:g} to {f_max:g} Hz do not fit a sample rate of {sample_rate} Hz: "
            f"need 0 <= f_min < f_max <= {sample_rate / 2:g}"
        )
    edges = np.linspace(hertz_to_mel(f_min, scale), hertz_to_mel(f_max, scale), n_mels + 2)
    bins = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    hertz_edges = mel_to_hertz(edges, scale)
    if triangles == "mel":
        bins = hertz_to_mel(bins, scale)
    else:
        edges = hertz_edges
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - lower) / (centre - lower)
    falling = (upper - bins[:, None]) / (upper - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    if triangles == "mel":
        weights[0] = 0.0  # HTK leaves the DC bin out
    if norm == "slaney":
        weights *= 2.0 / (hertz_edges[2:] - hertz_edges[:-2])
    return weights
