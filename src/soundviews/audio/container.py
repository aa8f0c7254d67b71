"""m4a, mp4, webm and their like, through PyAV where it is installed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from soundviews.audio.limits import Deadline
from soundviews.core.errors import UnreadableClip

EXTENSIONS = (".m4a", ".m4b", ".mp4", ".m4v", ".mov", ".aac", ".webm", ".mkv", ".mka")

# Codecs with overlapping blocks need some of what came before; seconds.
_PRE_ROLL = 0.5
# Without it a text file that is called .mp4 may be a playlist, which names other files and addresses to open.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,mp3,wav,flac,ogg,mpegts,avi,asf"


def is_container(path: str) -> bool:
    return path.lower().endswith(EXTENSIONS)


def _open(path: str) -> Any:
    try:
        import av
    except ImportError:
        raise UnreadableClip('needs PyAV: pip install "soundviews[video]"') from None
    try:
        with open(path, "rb") as file:
            if not file.read(1):
                raise UnreadableClip("empty file")
        # Titles and comments are in whatever encoding; nobody reads them here.
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
        opened = av.open(path, options=options, metadata_errors="ignore")
    except av.error.FFmpegError as error:
        raise UnreadableClip(f"not audio, or damaged ({error.strerror})") from error
    if not opened.streams.audio:
        opened.close()
        raise UnreadableClip("no sound in it")
    return opened


def probe(path: str) -> tuple[int, int, int]:
    """(sample rate in Hz, frames, channels), from the header where it tells the length."""
    with _open(path) as opened:
        stream = opened.streams.audio[0]
        rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
        if not rate:
            raise UnreadableClip("the header gives no sample rate")
        if stream.duration is not None:
            return rate, round(float(stream.duration * stream.time_base) * rate), channels
        if opened.duration:
            return rate, round(opened.duration * rate / 1_000_000), channels
    return rate, sum(map(len, _blocks(path, 0, None))), channels


def decode(path: str, first: int, last: int) -> npt.NDArray[np.float32]:
    """Frames first..last-1 as the mean of the channels, (frames,) float32.

    Raises:
        UnreadableClip: damaged, or it ends before `last`.
    """
    pieces = list(_blocks(path, first, last))
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    # Containers round their length to a block; more than two blocks missing is a truncation.
    if len(samples) < last - first - 4096:
        raise UnreadableClip(f"truncated: {last} frames promised, it ends after {first + len(samples)}")
    return samples


def _blocks(path: str, first: int, last: int | None) -> Iterator[npt.NDArray[np.float32]]:
    """Frames first..last-1 as the mean of the channels, as they are decoded; `last` None is up to the end."""
    import av

    deadline = Deadline()
    with _open(path) as opened:
        stream = opened.streams.audio[0]
        rate = stream.codec_context.sample_rate
        origin = round(float((stream.start_time or 0) * stream.time_base) * rate)
        if first > _PRE_ROLL * rate:
            opened.seek(int((first + origin - _PRE_ROLL * rate) / rate / stream.time_base), stream=stream)
        to_float = av.AudioResampler(format="fltp", layout=stream.codec_context.layout)
        position = None
        try:
            for frame in opened.decode(stream):
                at = round(float(frame.pts * stream.time_base) * rate) - origin if frame.pts is not None else None
                position = (at or 0) if position is None else position
                if last is not None and position >= last:
                    break
                for block in to_float.resample(frame):
                    mono = block.to_ndarray().mean(axis=0, dtype=np.float32)
                    begin, position = position, position + len(mono)
                    if position > first:
                        yield mono[max(0, first - begin) : None if last is None else last - begin]
                deadline.check()
        except av.error.FFmpegError as error:
            raise UnreadableClip(f"damaged ({error.strerror})") from error
