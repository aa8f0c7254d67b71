"""mp3 files whose header does not tell their length: recorded streams, and what was cut out of a longer file.

The decoder guesses the length of such a file from its first frame, and reads no further than that: where the bit
rate changes, it silently leaves off the end, or cannot find an offset. So the frames are counted here, and a stretch
is given to the decoder as a small mp3 of its own, with the header that was missing.
"""

import io
import mmap
import os
import struct
from array import array
from functools import lru_cache
from typing import NamedTuple

# Kilobits a second by index, layer III: MPEG 1, and MPEG 2 and 2.5.
_BIT_RATES = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
)
_SAMPLE_RATES = (44100, 48000, 32000)
# Offsets are kept of every so many frames: an hour is then 4,000 numbers. A stretch begins at the offset before the
# one it begins after: a frame uses up to 511 bytes of those before it, and overlaps with one.
_STRIDE = 32
# Bytes that look like a frame's beginning and are none: more than tags and pictures have, less than a second's work.
_MOST_TRIES = 1 << 20
# The decoder leaves these off the beginning of a file that tells its length: they are its own delay.
_DELAY = 529


class Stream(NamedTuple):
    """Frames of an mp3. header: the first frame's 4 bytes. frames: how many. offsets: where every _STRIDE-th one
    begins, bytes. end: where the last one ends."""

    path: str
    header: bytes
    frames: int
    offsets: "array[int]"
    end: int

    @property
    def samples(self) -> int:
        """Samples of one channel in the whole stream."""
        return max(0, self.frames * _samples(self.header) - _DELAY)

    def cut(self, first: int, last: int) -> tuple[io.BytesIO, int]:
        """An mp3 that holds samples first..last-1 of each channel, and how many samples come before them in it."""
        block = _STRIDE * _samples(self.header)
        begin = max(0, first // block - 1)
        stop = -(-(last + _DELAY) // block)
        until = self.offsets[stop] if stop < len(self.offsets) else self.end
        frames = min(self.frames, stop * _STRIDE) - begin * _STRIDE
        with open(self.path, "rb") as file:
            file.seek(self.offsets[begin])
            data = file.read(until - self.offsets[begin])
        return io.BytesIO(_length_frame(self.header, frames, len(data)) + data), first - begin * block


def promised_bytes(path: str) -> int | None:
    """The size that an mp3's Xing or Info header promises for the whole file, or None where none does."""
    return _promises(path)[1]


def without_length(path: str) -> Stream | None:
    """The frames of an mp3 whose header tells no length; None where it does, or where this is no layer III."""
    if _promises(path)[0] is not None:
        return None
    stats = os.stat(path)
    return _walk(path, stats.st_size, stats.st_mtime_ns)


def _promises(path: str) -> tuple[int | None, int | None]:
    """(frames, bytes of the whole file) as the Xing or Info header has them; None for what is not there."""
    with open(path, "rb") as file:
        start = _after_tag(file.read(10))
        file.seek(start)
        frame = file.read(256)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or at + 16 > len(frame):
        return None, None
    flags, first, second = struct.unpack_from(">III", frame, at + 4)
    size = second if flags & 1 else first
    return first if flags & 1 else None, start + size if flags & 2 else None


@lru_cache(maxsize=64)
def _walk(path: str, size: int, _changed: int) -> Stream | None:
    """Count the frames: a few bytes of each are looked at, 0.1 s for an hour."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
        offset = _first_frame(data, _after_tag(data[:10]), size)
        if offset is None:
            return None
        header, lengths = data[offset : offset + 4], _frame_lengths(data[offset : offset + 4])
        kind, offsets, frames, end, tries = header[1] | 1, array("Q"), 0, offset, 0
        while 0 <= offset <= size - 4 and tries < _MOST_TRIES:
            length = lengths[data[offset + 2]] if data[offset] == 0xFF and data[offset + 1] | 1 == kind else 0
            if length == 0:  # a tag or damage: go on at what looks like a frame again
                offset, tries = data.find(b"\xff", offset + 1), tries + 1
                continue
            if offset + length > size:
                break
            if frames % _STRIDE == 0:
                offsets.append(offset)
            offset, frames = offset + length, frames + 1
            end = offset
    return Stream(path, header, frames, offsets, end)


def _after_tag(head: bytes) -> int:
    """Where an ID3v2 tag ends, 0 without one."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])


def _first_frame(data: mmap.mmap, start: int, size: int) -> int | None:
    """The first offset with a frame that another one of its kind follows."""
    offset = data.find(b"\xff", start)
    for _ in range(_MOST_TRIES):
        if not 0 <= offset <= size - 4:
            break
        header = data[offset : offset + 4]
        if header[1] & 0xE6 == 0xE2 and header[1] & 0x18 != 0x08 and header[2] & 0x0C != 0x0C:
            after = offset + _frame_lengths(header)[header[2]]
            if after > offset and data[after : after + 1] == b"\xff" and data[after + 1] | 1 == header[1] | 1:
                return offset
        offset = data.find(b"\xff", offset + 1)
    return None


def _version(header: bytes) -> int:
    """0: MPEG 1, 1: MPEG 2, 2: MPEG 2.5."""
    return {0x18: 0, 0x10: 1, 0x00: 2}[header[1] & 0x18]


def _samples(header: bytes) -> int:
    return 576 if _version(header) else 1152


def _frame_lengths(header: bytes) -> list[int]:
    """Bytes of a frame of the same kind by its third byte, 0 where that cannot be."""
    version = _version(header)
    rate = _SAMPLE_RATES[header[2] >> 2 & 3] >> version
    lengths = []
    for third in range(256):
        bits = 1000 * _BIT_RATES[version > 0][third >> 4]
        same_rate = (third ^ header[2]) & 0x0C == 0
        lengths.append(_samples(header) // 8 * bits // rate + (third >> 1 & 1) if same_rate and bits else 0)
    return lengths


def _length_frame(header: bytes, frames: int, size: int) -> bytes:
    """A silent frame with a Xing header that promises `frames` frames and `size` bytes after it."""
    # No checksum, a bit rate (index 9) at which there is room, no padding.
    head = bytes([0xFF, header[1] | 1, 0x90 | header[2] & 0x0C, header[3]])
    mono = header[3] >> 6 == 3
    side = (9 if mono else 17) if _version(header) else (17 if mono else 32)
    length = _frame_lengths(head)[head[2]]
    return (head + bytes(side) + b"Xing" + struct.pack(">III", 3, frames, length + size)).ljust(length, b"\0")
