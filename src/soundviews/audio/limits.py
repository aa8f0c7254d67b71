"""What a recording may ask of the machine, whatever its header says: it may come from anywhere."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager

from soundviews.core.errors import UnreadableClip

# Silence in the largest blocks that FLAC has, 65,535 samples, takes 11 bytes; no other format packs tighter.
MOST_FRAMES_A_BYTE = 8192
LARGEST_RATE = 1 << 24  # Hz, a hundred times what is recorded of bats
MOST_SAMPLES = 1 << 29  # decoded or resampled in one piece: 2 GiB, 3 hours at 48 kHz
MOST_SECONDS = 600.0  # that decoding one piece may take
BLOCK_SAMPLES = 1 << 22  # of all channels, decoded at a time
_UNKNOWN_LENGTH = (1 << 63) - 1  # of a FLAC that was streamed
NOT_A_FILE = "a pipe, a device or a folder, not a file"


@contextmanager
def decoding() -> Iterator[None]:
    """Whatever a decoder makes of bytes that it cannot decode is an `UnreadableClip`.

    Decoders meet bytes that nobody foresaw, and fail in any way: struct, Unicode, memory, their own errors.
    """
    try:
        yield
    except UnreadableClip:
        raise
    except MemoryError as error:
        raise UnreadableClip("it needs more memory than there is") from error
    except OSError as error:
        raise UnreadableClip((error.strerror or str(error)).lower()) from error
    except Exception as error:
        raise UnreadableClip(f"not audio, or damaged ({type(error).__name__}: {error})") from error


def regular_size(path: str) -> int:
    """Bytes of the file.

    Raises:
        UnreadableClip: missing, or a pipe or a device, which may never end.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise UnreadableClip("no such file") from None
    except PermissionError:
        raise UnreadableClip("permission denied") from None
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableClip(NOT_A_FILE)
    return status.st_size


def require_possible(sample_rate: int, frames: int, size: int) -> None:
    """Refuse a header that promises what a file of `size` bytes cannot hold."""
    if not 1 <= sample_rate <= LARGEST_RATE:
        raise UnreadableClip(f"its header gives a sample rate of {sample_rate} Hz")
    if frames == _UNKNOWN_LENGTH:
        raise UnreadableClip("its header does not tell how long it is: encode it anew")
    if frames > MOST_FRAMES_A_BYTE * size:
        raise UnreadableClip(f"its header promises {frames} frames, more than {size} bytes can hold")


def require_room(frames: int, sample_rate: int, wanted_rate: int) -> None:
    """Refuse to decode in one piece what takes too much memory, before or after resampling."""
    if max(frames, frames * wanted_rate // sample_rate) > MOST_SAMPLES:
        raise UnreadableClip(
            f"{frames} frames at {sample_rate} Hz, as {wanted_rate} Hz, are too many for one piece: cut the recording "
            f"into clips"
        )


class Deadline:
    """Ends decoding that takes too long."""

    def __init__(self) -> None:
        self._until = time.monotonic() + MOST_SECONDS

    def check(self) -> None:
        """Called after each block.

        Raises:
            UnreadableClip: it takes too long.
        """
        if time.monotonic() > self._until:
            raise UnreadableClip(f"decoding takes more than {MOST_SECONDS:g} seconds")
