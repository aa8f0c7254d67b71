"""One recording of any length into one file for each channel."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
import soundfile

from soundviews.audio.decode import Samples, probe, read
from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.core.files import all_written_whole
from soundviews.separation.blocks import separate_blocks
from soundviews.separation.processor import Processor

CHUNK_SECONDS = 30.0  # decoded at a time
SPOOL_BYTES = 64 << 20  # of channels kept in memory before they go to the disk
LARGEST_WAV = 4e9  # bytes that its header can count; beyond, it is an RF64
LOUDEST = 1 - 2.0**-23  # what FLAC of 24 bit holds


def read_chunks(path: Path, start: float, end: float | None, sample_rate: int) -> Iterator[Samples]:
    """A recording from `start` to `end` (s), at `sample_rate`, half a minute at a time.

    Raises:
        UnreadableClip: as `soundviews.audio.decode.read`, but silence is read.
    """
    info = probe(path)
    stop = info.seconds if end is None else min(end, info.seconds)
    # On the grid of the samples, so that no chunk's end is rounded away from the next one's beginning.
    start = round(start * sample_rate) / sample_rate
    count = max(1, int((stop - start) / CHUNK_SECONDS))
    for number in range(count - 1):
        yield read(path, start + number * CHUNK_SECONDS, CHUNK_SECONDS, sample_rate, allow_silence=True)
    offset = start + (count - 1) * CHUNK_SECONDS
    yield read(path, offset, None if end is None else stop - offset, sample_rate, allow_silence=True)


def write_channels(
    processor: Processor,
    chunks: Iterable[Samples],
    files: Sequence[Path],
    block_seconds: float,
    heard: Callable[[float], None] = lambda seconds: None,
) -> float:
    """Separate what comes in chunks into `files`, all or none of them.

    Args:
        processor: What separates.
        chunks: (samples,) each, at the processor's rate; together the recording.
        files: One for each channel, .flac (24 bit) or .wav (32 bit float).
        block_seconds: Longer recordings are separated in blocks of this length.
        heard: Called with the seconds that are separated further.

    Returns:
        What all channels were multiplied by: less than 1 where one of them passes full scale, at which FLAC ends.

    Raises:
        SoundviewsError: a file could not be written whole.
        UnreadableClip: what the chunks raise, or samples that cannot be separated.
    """
    rate = processor.sample_rate
    files[0].parent.mkdir(parents=True, exist_ok=True)
    peak, samples = 0.0, 0
    # The gain is known at the end only.
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES, dir=str(files[0].parent)) as spool:
        for channels in separate_blocks(processor, chunks, max(2, round(block_seconds * rate))):
            peak = max(peak, float(np.abs(channels).max()))
            samples += channels.shape[1]
            spool.write(np.ascontiguousarray(channels.T).tobytes())
            heard(channels.shape[1] / rate)
        if samples < 2:
            raise UnreadableClip(f"only one sample at {rate} Hz")
        gain = LOUDEST / peak if peak > LOUDEST and files[0].suffix == ".flac" else 1.0
        spool.seek(0)
        _encode(spool, files, samples, gain, rate)
    return gain


def _encode(spool: IO[bytes], files: Sequence[Path], samples: int, gain: float, rate: int) -> None:
    flac = files[0].suffix == ".flac"
    container = "FLAC" if flac else "WAV" if 4 * samples < LARGEST_WAV else "RF64"
    options = {"samplerate": rate, "channels": 1, "format": container, "subtype": "PCM_24" if flac else "FLOAT"}
    frame = 4 * len(files)
    with all_written_whole(files) as temporary:
        try:
            with ExitStack() as stack:
                outputs = [stack.enter_context(soundfile.SoundFile(path, "w", **options)) for path in temporary]
                while data := spool.read((1 << 18) * frame):
                    channels = np.frombuffer(data, np.float32).reshape(-1, len(files)) * np.float32(gain)
                    for output, channel in zip(outputs, channels.T, strict=True):
                        output.write(channel)
            whole = all(probe(path).frames == samples for path in temporary)
        except (soundfile.LibsndfileError, AssertionError, UnreadableClip):
            whole = False
        if not whole:
            raise SoundviewsError(f"{files[0]} could not be written whole: is the disk full?")
