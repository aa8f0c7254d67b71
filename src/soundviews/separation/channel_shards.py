"""The form in which separated channels are kept: 64 clips to a file, a record batch a clip, a row a channel.

Samples are FLAC, scaled to each channel's own peak: a channel that is louder than its mixture does not clip, a faint
one keeps its detail, and exact zeros stay zeros.
"""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import soundfile
from numpy.typing import NDArray

from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.core.files import written_whole

CLIPS_PER_SHARD = 64
SCHEMA = pa.schema(
    [
        ("clip", pa.int64()),  # row of the prepared corpus
        ("channel", pa.int16()),
        ("scale", pa.float32()),  # times the FLAC's samples in [-1, 1]
        ("worst", pa.int16()),  # the clip's worst channel, the same in all of its rows
        ("flac", pa.large_binary()),
    ]
)
_UNREADABLE = b"unreadable"  # in a shard's metadata: {index in the shard: reason}, JSON


def rows_of(shard: int, clips: int) -> range:
    """The rows of the prepared corpus, of `clips`, in a shard."""
    return range(shard * CLIPS_PER_SHARD, min((shard + 1) * CLIPS_PER_SHARD, clips))


def shard_file(folder: Path, shard: int) -> Path:
    return folder / f"{shard:07d}.arrow"


class Shard(NamedTuple):
    """An open shard. unreadable: the reason of each clip that has no channels, by its index in the shard."""

    batches: pa.RecordBatchFileReader
    unreadable: dict[str, str]


def open_shard(path: Path) -> Shard:
    """A shard, memory-mapped.

    Raises:
        OSError, pa.ArrowException: missing or torn.
    """
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    return Shard(reader, json.loads(reader.schema.metadata[_UNREADABLE]))


def compress(clip: int, channels: NDArray[np.float32], worst: int, rate: int, bits: int) -> pa.RecordBatch:
    """One clip's channels, (channels, samples), to rows of SCHEMA.

    Args:
        clip: Row of the prepared corpus.
        worst: Its worst channel.
        rate: Hz.
        bits: 16 or 24 of a sample; a channel's peak becomes the largest value there is.

    Raises:
        SoundviewsError: samples that are not finite.
    """
    peaks = np.abs(channels).max(axis=1)
    if not np.isfinite(peaks).all():
        raise SoundviewsError("the processor gives samples that are not finite: it has diverged and is of no use")
    largest = 2 ** (bits - 1) - 1
    blobs = []
    for samples, peak in zip(channels.astype(np.float64), peaks, strict=True):
        values = np.rint(samples * (largest / max(peak, 1e-30))).astype(np.int32)
        file = io.BytesIO()
        soundfile.write(file, values << (32 - bits), rate, format="FLAC", subtype=f"PCM_{bits}")
        blobs.append(file.getvalue())
    count = len(channels)
    columns = [[clip] * count, range(count), peaks * ((largest + 1) / largest), [worst] * count, blobs]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=SCHEMA)


def decompress(kept: pa.RecordBatch, channel: int) -> NDArray[np.float32]:
    """(samples,) of one channel of what `compress` made.

    Raises:
        UnreadableClip: it is damaged.
    """
    try:
        samples, _ = soundfile.read(io.BytesIO(kept["flac"][channel].as_buffer()), dtype="float32")
    except soundfile.LibsndfileError as error:
        raise UnreadableClip("its separated channels are damaged") from error
    scaled: NDArray[np.float32] = samples * np.float32(kept["scale"][channel].as_py())
    return scaled


def write_shard(path: Path, clips: int, batches: Mapping[int, pa.RecordBatch], reasons: Mapping[int, str]) -> None:
    """Write a shard whole or not at all.

    Args:
        clips: How many clips it is for.
        batches: What `compress` made of each clip, by its index in the shard.
        reasons: Why there is none of the others.
    """
    schema = SCHEMA.with_metadata({_UNREADABLE: json.dumps(reasons)})
    nothing = pa.record_batch([pa.array([], field.type) for field in SCHEMA], schema=SCHEMA)
    with (
        kept_whole(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
    ):
        for index in range(clips):
            writer.write_batch(batches.get(index, nothing))


@contextmanager
def kept_whole(path: Path) -> Iterator[Path]:
    """`written_whole`; a full disk is told to the user."""
    try:
        with written_whole(path) as temporary:
            yield temporary
    except OSError as error:
        raise SoundviewsError(
            f"cannot write {path} ({error.strerror or error}). What was prepared so far stays; once that is mended, "
            "the same command goes on from there"
        ) from error
