"""Does a file end before its own header says it should?

The decoder quietly shortens such a file to what is there. A recording cut off by a failed copy would then pass for
a whole one, so the promise in the header is compared with the size on disk.
"""

import os
import struct
from typing import BinaryIO

from soundviews.audio.mp3 import promised_bytes

# Recorders that stream write these sizes because they do not know the length yet; they promise nothing.
_UNKNOWN_SIZE = 0x7FFFF000
# A file of empty chunks would be walked for minutes.
_MOST_CHUNKS = 1 << 14
# Some writers count a header in the size of the data; that is not a truncation.
_SLACK_BYTES = 64
_OGG_PAGE_HEADER = 27
_OGG_LARGEST_PAGE = _OGG_PAGE_HEADER + 255 + 255 * 255


def missing_end(path: str) -> str | None:
    """Why the file at `path` is incomplete, or None if nothing says so.

    Knows RIFF (wav), FORM (aiff), Ogg (vorbis, opus, flac) and mp3 with a Xing or Info header; for other formats
    the decoder itself notices.

    Raises:
        OSError: the file cannot be opened.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF":
            return _missing_chunk(file, size, b"data", "<I")
        if head[:4] == b"FORM":
            return _missing_chunk(file, size, b"SSND", ">I")
        if head[:4] == b"OggS":
            return _missing_page(file, size)
        if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
            promised = promised_bytes(path)
            if promised is not None and promised > size * 1.01 + 4096:
                return f"truncated: {promised} bytes promised, {size} there"
    return None


def _missing_chunk(file: BinaryIO, size: int, wanted: bytes, number: str) -> str | None:
    """RIFF and FORM: walk the chunks to the one with the samples."""
    position = 12
    for _ in range(_MOST_CHUNKS):
        if position + 8 > size:
            return "truncated: it ends before its samples"
        file.seek(position)
        name, (length,) = file.read(4), struct.unpack(number, file.read(4))
        if name == wanted:
            present = size - position - 8
            if 0 < length < _UNKNOWN_SIZE and length > present + _SLACK_BYTES:
                return f"truncated: {length} bytes of samples promised, {present} there"
            return None
        position += 8 + length + length % 2
    return f"damaged: no samples within {_MOST_CHUNKS} chunks"


def _missing_page(file: BinaryIO, size: int) -> str | None:
    """Ogg: the last page must be whole.

    A stream whose last page is whole but not marked as the last is accepted: recorders that were stopped leave
    such files, and nothing in them is broken.
    """
    file.seek(max(0, size - _OGG_LARGEST_PAGE - _OGG_PAGE_HEADER))
    tail = file.read()
    page = tail[tail.rfind(b"OggS\0") :] if b"OggS\0" in tail else b""
    if not page:
        return None
    header = _OGG_PAGE_HEADER + (page[26] if len(page) > 26 else 0)
    if len(page) < header or len(page) < header + sum(page[_OGG_PAGE_HEADER:header]):
        return "truncated: it ends inside an Ogg page"
    return None
