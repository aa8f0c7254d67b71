"""A path, an array or a tensor as a waveform: what everything that takes one sound takes."""

import os
from typing import Any

import numpy as np
import soxr
import torch
from numpy.typing import NDArray

from soundviews.audio.decode import probe, read
from soundviews.core.errors import SoundviewsError, UnreadableClip

# Integer samples as audio files hold them: (the value of silence, full scale).
_INTEGERS = {"uint8": (128, 2**7), "int16": (0, 2**15), "int32": (0, 2**31)}

Waveform = NDArray[np.float32]


def waveform_of(
    audio: Any, sample_rate: int | None, wanted_rate: int, several: str = "give one recording at a time"
) -> Waveform:
    """Mono samples at `wanted_rate`.

    Args:
        audio: A path (str or Path), whose channels are mixed; or a numpy array or torch tensor on any device,
            (samples,), of floats, or of 8 (unsigned), 16 or 32 bit integers, which are divided by their full scale.
        sample_rate: Hz; needed for arrays and tensors. For a file it must be the file's own, if it is given.
        wanted_rate: Hz.
        several: What to do with a batch, for the error that refuses one.

    Returns:
        (samples,) float32.

    Raises:
        SoundviewsError: The file cannot be read, the rate is missing or wrong, or this is no waveform.
    """
    if isinstance(audio, str | os.PathLike):
        return _read(os.fspath(audio), sample_rate, wanted_rate)
    if sample_rate is None:
        raise SoundviewsError("say at what rate the samples are, in Hz: sample_rate=")
    if not sample_rate > 0:
        raise SoundviewsError(f"a sample rate is a number of Hz above 0, not {sample_rate!r}")
    samples = _mono(_floats(audio, several), several)
    if samples.size == 0:
        raise SoundviewsError("the waveform is empty")
    if not np.isfinite(samples).all():
        raise SoundviewsError("the waveform has NaN or infinite samples")
    if sample_rate != wanted_rate:
        samples = soxr.resample(samples, sample_rate, wanted_rate, quality="HQ")
        if samples.size == 0:
            raise SoundviewsError(f"the waveform is shorter than one sample at {wanted_rate} Hz")
    return np.ascontiguousarray(samples)


def _read(path: str, sample_rate: int | None, wanted_rate: int) -> Waveform:
    try:
        if sample_rate is not None and sample_rate != (rate := probe(path).sample_rate):
            raise SoundviewsError(f"{path} is at {rate} Hz, not {sample_rate}: leave sample_rate out, the file says it")
        return read(path, sample_rate=wanted_rate, allow_silence=True)
    except UnreadableClip as error:
        raise SoundviewsError(f"{path}: {error}") from error


def _floats(audio: Any, several: str) -> Waveform:
    """The same samples as float32, full scale 1."""
    if isinstance(audio, torch.Tensor):
        audio = audio.detach().cpu().resolve_conj().resolve_neg()
        audio = (audio.float() if audio.dtype == torch.bfloat16 else audio).numpy()
    if not isinstance(audio, np.ndarray):
        raise SoundviewsError(
            f"a sound is a path, a numpy array or a torch tensor, not a {type(audio).__name__}; {several}"
        )
    if audio.dtype.kind == "f":
        with np.errstate(over="ignore"):  # beyond float32 is infinite, and refused as such
            return audio.astype(np.float32, copy=False)
    if audio.dtype.name not in _INTEGERS:
        raise SoundviewsError(
            f"samples of type {audio.dtype} have no agreed full scale: give floats between -1 and 1, or "
            f"{', '.join(_INTEGERS)}"
        )
    silence, full_scale = _INTEGERS[audio.dtype.name]
    return ((audio.astype(np.float64) - silence) / full_scale).astype(np.float32)


def _mono(samples: Waveform, several: str) -> Waveform:
    """(samples,) of (samples,) or (1, samples). Rows are never mixed: channels look like a batch of clips."""
    if samples.ndim == 2 and len(samples) == 1:
        samples = samples[0]
    if samples.ndim == 2:
        raise SoundviewsError(
            f"{samples.shape} may be a batch or the channels of one sound: of a batch, {several}; channels are mixed "
            "by .mean(0) where they are rows, by .mean(1) where they are columns"
        )
    if samples.ndim != 1:
        raise SoundviewsError(f"a waveform is (samples,), not {samples.shape}; if it is a batch, {several}")
    return samples
