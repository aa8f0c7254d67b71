"""File to waveform: decode the stretch that is needed, mix to mono, resample.

A stretch equals the same stretch of the whole recording: decoding starts a little before it, at a frame where the
grids of both sample rates meet, so that the resampler sees the same samples in the same phase.
"""

import os
from math import ceil, gcd
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from soundviews.audio import container, mp3
from soundviews.audio.limits import (
    BLOCK_SAMPLES,
    Deadline,
    decoding,
    regular_size,
    require_possible,
    require_room,
)
from soundviews.audio.truncation import missing_end
from soundviews.core.errors import UnreadableClip

EXTENSIONS = frozenset(
    (
        ".wav",
        ".wave",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".mp3",
        ".aif",
        ".aiff",
        ".aifc",
        ".au",
        ".caf",
        ".w64",
    )
) | frozenset(container.EXTENSIONS)

# Half the length of the resampler's filter, in periods of the lower rate, with room to spare.
_MARGIN_PERIODS = 512
# Beyond integers of 32 bit written as float; sums of the squares of much larger samples pass what float32 holds.
_LOUDEST = 1e10

Samples = npt.NDArray[np.float32]


class AudioInfo(NamedTuple):
    """What a header says: rate in Hz, frames (samples of one channel), channels."""

    sample_rate: int
    frames: int
    channels: int

    @property
    def seconds(self) -> float:
        return self.frames / self.sample_rate


def probe(path: str | os.PathLike[str]) -> AudioInfo:
    """Read a recording's header without decoding it.

    Raises:
        UnreadableClip: missing, no file, empty, truncated, not audio, no more than one sample long, or its header
            promises what the file cannot hold.
    """
    path = os.fspath(path)
    with decoding():
        size = regular_size(path)
        if container.is_container(path):
            info = AudioInfo(*container.probe(path))
            _refuse_impossible(info, size)
        else:
            with _open(path) as file:
                _refuse_truncated(path)
                info = _info(file, path)
                _refuse_impossible(info, size)
                if file.format == "FLAC":
                    # Only a decoder finds the end of a FLAC file; its seek table makes that cheap.
                    _decode(file, path, info.frames - 1, info.frames)
    return info


def read(
    path: str | os.PathLike[str],
    start: float = 0.0,
    duration: float | None = None,
    sample_rate: int | None = None,
    allow_silence: bool = False,
) -> Samples:
    """Decode a stretch of a recording to mono.

    Args:
        path: wav, flac, ogg, opus, mp3, aiff, ...; m4a, mp4 and webm where PyAV is installed.
        start: seconds from the beginning of the recording.
        duration: seconds; None is up to the end. A stretch that passes the end stops there.
        sample_rate: Hz of the result, resampled with soxr (HQ); None keeps the recording's own.
        allow_silence: accept a stretch in which every sample is zero.

    Returns:
        (samples,) float32, the mean of the channels.

    Raises:
        UnreadableClip: as `probe`; NaN, infinite or senselessly large samples, only zeros, no samples; or so much that
            it passes `soundviews.audio.limits`.
    """
    path = os.fspath(path)
    with decoding():
        size = regular_size(path)
        if container.is_container(path):
            info = AudioInfo(*container.probe(path))
            _refuse_impossible(info, size)
            stretch = _Stretch(info, start, duration, sample_rate)
            samples = container.decode(path, stretch.first, stretch.last)
        else:
            with _open(path) as file:
                info = _info(file, path)
                if duration is None:
                    _refuse_truncated(path)
                _refuse_impossible(info, size)
                stretch = _Stretch(info, start, duration, sample_rate)
                samples = _decode(file, path, stretch.first, stretch.last)
        return _checked(samples, stretch, allow_silence, start)


def _checked(samples: Samples, stretch: "_Stretch", allow_silence: bool, start: float) -> Samples:
    """The stretch of what was decoded, where its samples can be used."""
    loudest = np.abs(samples).max()
    if not np.isfinite(loudest):
        raise UnreadableClip("NaN or infinite samples")
    if loudest > _LOUDEST:
        raise UnreadableClip(f"samples of up to {loudest:.0e}, where full scale is 1")
    if not allow_silence and not samples[stretch.inner].any():
        raise UnreadableClip("all samples are zero")
    result = stretch.resample(samples)
    if len(result) == 0:
        raise UnreadableClip(f"no samples between {start:g} s and the end")
    return result


class _Stretch:
    """Which frames to decode for a stretch, and how to get the stretch out of them."""

    def __init__(self, info: AudioInfo, start: float, duration: float | None, sample_rate: int | None) -> None:
        self.rate_in, self.rate_out = info.sample_rate, sample_rate or info.sample_rate
        common = gcd(self.rate_in, self.rate_out)
        step_in, step_out = self.rate_in // common, self.rate_out // common
        begin = round(start * self.rate_out)
        end = None if duration is None else round((start + duration) * self.rate_out)
        margin = 0
        if step_in != step_out:
            margin = ceil(_MARGIN_PERIODS * self.rate_in / min(self.rate_in, self.rate_out))
        begin_in = begin * step_in // step_out
        end_in = info.frames if end is None else min(info.frames, -(-end * step_in // step_out))
        if begin < 0 or begin_in >= end_in:
            raise UnreadableClip(f"no samples from {start:g} s on: it is {info.seconds:.3f} s long")
        self.first = max(0, begin_in - margin) // step_in * step_in
        self.last = min(info.frames, end_in + margin)
        require_room(self.last - self.first, self.rate_in, self.rate_out)
        self.inner = slice(begin_in - self.first, end_in - self.first)
        offset = self.first // step_in * step_out
        self.cut = slice(begin - offset, None if end is None else end - offset)

    def resample(self, samples: Samples) -> Samples:
        if self.rate_in != self.rate_out:
            samples = soxr.resample(samples, self.rate_in, self.rate_out, quality="HQ")
        return samples[self.cut]


def _open(path: str) -> soundfile.SoundFile:
    try:
        # Names on POSIX are bytes, which need not be text.
        return soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else path)
    except (soundfile.LibsndfileError, TypeError, ValueError) as error:
        raise UnreadableClip(_why_not(path, str(error))) from error


def _why_not(path: str, decoder_says: str) -> str:
    """The decoder says 'System error' for most things; the file system knows better."""
    try:
        with open(path, "rb") as file:
            if not file.read(1):
                return "empty file"
        return missing_end(path) or f"not audio, or damaged ({decoder_says.split(': ')[-1].rstrip('.')})"
    except FileNotFoundError:
        return "no such file"
    except PermissionError:
        return "permission denied"
    except OSError as error:
        return error.strerror or str(error)


def _refuse_truncated(path: str) -> None:
    try:
        reason = missing_end(path)
    except OSError as error:
        raise UnreadableClip(error.strerror or str(error)) from error
    if reason:
        raise UnreadableClip(reason)


def _refuse_impossible(info: AudioInfo, size: int) -> None:
    if info.frames < 2:
        raise UnreadableClip("only one sample" if info.frames == 1 else "no samples")
    require_possible(info.sample_rate, info.frames, size)


def _info(file: soundfile.SoundFile, path: str) -> AudioInfo:
    stream = mp3.without_length(path) if file.format == "MP3" else None
    return AudioInfo(file.samplerate, stream.samples if stream else file.frames, file.channels)


def _decode(file: soundfile.SoundFile, path: str, first: int, last: int) -> Samples:
    """Frames first..last-1 as the mean of the channels, (frames,) float32."""
    try:
        if file.format == "MP3" and (stream := mp3.without_length(path)):
            data, before = stream.cut(first, last)
            with soundfile.SoundFile(data) as part:
                samples = _read_mono(part, before + last - first)[before:]
        else:
            if first:
                file.seek(first)
            samples = _read_mono(file, last - first)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise UnreadableClip(f"damaged or truncated ({str(error).split(': ')[-1].rstrip('.')})") from error
    if len(samples) < last - first:
        raise UnreadableClip(f"truncated: {last} frames promised, it ends after {first + len(samples)}")
    return samples


def _read_mono(file: soundfile.SoundFile, frames: int) -> Samples:
    """At most `frames` frames as the mean of the channels, in blocks: what a header promises is not yet there."""
    pieces, deadline = [], Deadline()
    while frames > 0:
        wanted = min(frames, max(1, BLOCK_SAMPLES // file.channels))
        block = file.read(wanted, dtype="float32", always_2d=True)
        pieces.append(block[:, 0] if block.shape[1] == 1 else block.mean(axis=1))
        frames = frames - wanted if len(block) == wanted else 0
        deadline.check()
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
