"""What was decoded once, kept as int16 on disk, so that the second epoch reads no Ogg.

Two files: `samples.i16`, sparse, where every clip has its room from the start, and `clips.rec`, one record a clip.
A clip's record is written after its samples and in one piece, so a process that is killed leaves a clip either
kept or not; the checksum in the record finds what a power cut tore apart. Any number of processes may read and
write at once: two that decode the same clip write the same bytes.
"""

import errno
import os
import shutil
import threading
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from soundviews.audio.corpus import Corpus, Skipped
from soundviews.audio.ledger import Ledger
from soundviews.core.caches import cache_directory, discard, warn_nothing_kept
from soundviews.core.errors import UnreadableClip
from soundviews.core.files import written_whole

# 16 bytes, a power of two, so that no record lies across two pages of the file.
_RECORD = np.dtype([("scale", "<f4"), ("length", "<u4"), ("checksum", "<u4"), ("kept", "<u4")])
# Headers of mp3 and of containers are a little wrong about the length; a clip's room is that much longer, seconds.
_SPARE = 0.1
# The cache must not be what fills the disk.
_LEAVE_FREE_BYTES = 1 << 30
# Where files cannot be read and written at a position, threads take turns.
_seeking = threading.Lock()


class ClipStore:
    """The clips of a corpus as waveforms, decoded at most once.

    Args:
        corpus: its recordings' headers are read if they were not yet.
        sample_rate: Hz of the waveforms.
        directory: where to keep them; by default in the cache, by the corpus's fingerprint and the rate.
        keep: False decodes every time and keeps nothing.
    """

    def __init__(self, corpus: Corpus, sample_rate: int, directory: Path | None = None, keep: bool = True) -> None:
        self.corpus, self.sample_rate = corpus, sample_rate
        self._ledger = Ledger()
        self._handles: tuple[BinaryIO, BinaryIO] | None = None
        self._owner = 0
        self._rounded = self._keeping = keep = keep and corpus.on_disk
        self._offsets: npt.NDArray[np.int64] = np.zeros(len(corpus) + 1, np.int64)
        if keep:
            self.directory = directory or cache_directory("clips", f"{corpus.fingerprint}-{sample_rate}")
            try:
                self._offsets = self._lay_out()
            except OSError as error:
                self._stop_keeping(error)

    def __len__(self) -> int:
        return len(self.corpus)

    def __getitem__(self, index: int) -> npt.NDArray[np.float32]:
        """Clip `index`: (samples,) float32 at the store's rate, within 1/65000 of its peak of what was decoded.

        Raises:
            UnreadableClip: the reason, without the path.
        """
        kept = self._load(index)
        if kept is not None:
            return kept
        clip = self.corpus.clip(index)
        try:
            samples = self.corpus.read(index, self.sample_rate)
        except UnreadableClip as error:
            self._ledger.add(clip.path, str(error))
            raise
        if not self._rounded:
            return samples
        values, scale = _quantize(samples)
        if self._keeping:
            self._keep(index, values, scale)
        # The first time, and a full disk, must give what every other time gives.
        return values * scale

    def skipped(self) -> list[Skipped]:
        """Clips that could not be read so far, by this object or a worker's copy of it."""
        return self._ledger.entries()

    def _lay_out(self) -> npt.NDArray[np.int64]:
        """(clips + 1,) where each clip's samples begin in `samples.i16`, memory-mapped; makes the files."""
        offsets = self.directory / "places.npy"
        result = self._known_offsets(offsets)
        if result is None:
            samples = np.ceil((_seconds(self.corpus) + _SPARE) * self.sample_rate).astype(np.int64)
            with written_whole(offsets) as temporary, open(temporary, "wb") as sink:
                np.save(sink, np.concatenate([[0], np.cumsum(samples)]))
            result = np.load(offsets, mmap_mode="r")
        for name, size in (("samples.i16", int(result[-1]) * 2), ("clips.rec", len(self) * _RECORD.itemsize)):
            handle = os.open(self.directory / name, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                os.ftruncate(handle, size)
            finally:
                os.close(handle)
        return result

    def _known_offsets(self, path: Path) -> npt.NDArray[np.int64] | None:
        """What an earlier call has laid out; None if that is nothing, or damaged."""
        if not path.is_file():
            return None
        try:
            result: npt.NDArray[np.int64] = np.load(path, mmap_mode="r")
            if result.shape != (len(self) + 1,) or result.dtype != np.int64 or (np.diff(result, prepend=0) < 0).any():
                raise ValueError("it is of other clips")
        except Exception as error:  # NumPy reads the header as Python, which fails in many ways
            discard(path, error)
            return None
        return result

    def _files(self) -> tuple[int, int]:
        """Descriptors of samples and records, for binary data; each process opens its own."""
        if self._handles is None or self._owner != os.getpid():
            samples = open(self.directory / "samples.i16", "r+b", buffering=0)  # noqa: SIM115
            self._handles = samples, open(self.directory / "clips.rec", "r+b", buffering=0)  # noqa: SIM115
            self._owner = os.getpid()
        return self._handles[0].fileno(), self._handles[1].fileno()

    def _load(self, index: int) -> npt.NDArray[np.float32] | None:
        if self._offsets[-1] == 0:
            return None
        samples, records = self._files()
        block = _read_at(records, _RECORD.itemsize, index * _RECORD.itemsize)
        record = np.frombuffer(block, _RECORD)[0]
        length, begin = int(record["length"]), int(self._offsets[index])
        if not record["kept"] or length > int(self._offsets[index + 1]) - begin:
            return None
        data = _read_at(samples, length * 2, begin * 2)
        if _checksum(record["scale"], data) != record["checksum"]:
            return None
        return np.frombuffer(data, "<i2") * record["scale"]

    def _keep(self, index: int, values: npt.NDArray[np.int16], scale: np.float32) -> None:
        if len(values) > self._offsets[index + 1] - self._offsets[index]:
            return
        data = values.astype("<i2").tobytes()
        record = np.array([(scale, len(values), _checksum(scale, data), 1)], _RECORD).tobytes()
        try:
            if shutil.disk_usage(self.directory).free < _LEAVE_FREE_BYTES:
                raise OSError(errno.ENOSPC, "less than 1 GiB is left on the disk")
            samples, records = self._files()
            _write_all(samples, data, int(self._offsets[index]) * 2)
            _write_all(records, record, index * _RECORD.itemsize)
        except OSError as error:
            self._stop_keeping(error)

    def _stop_keeping(self, error: OSError) -> None:
        self._keeping = False
        warn_nothing_kept(self.directory, error)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handles": None}


def _checksum(scale: np.float32, data: bytes) -> int:
    """Of all that a clip is made of."""
    return zlib.crc32(data, zlib.crc32(np.array(scale, "<f4").tobytes()))


def _seconds(corpus: Corpus) -> npt.NDArray[np.float64]:
    """(clips,) length of each clip, 0 where the recording cannot be read."""
    duration = np.nan_to_num(corpus.recording_seconds()[0])
    end = np.fmin(corpus.column("end"), duration)
    return np.maximum(end - corpus.column("start"), 0.0)


def _quantize(samples: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int16], np.float32]:
    """int16 values and the step between them; the step follows the clip's peak, so faint clips keep their detail."""
    scale = np.float32(max(float(np.abs(samples).max()), 1e-30) / 32767)
    return np.rint(samples / scale).astype(np.int16), scale


def _write_all(handle: int, data: bytes, position: int) -> None:
    """A full disk may take a part without complaint and refuse only the next write."""
    view = memoryview(data)
    while view:
        written = _write_at(handle, view, position)
        view, position = view[written:], position + written


def _read_at(handle: int, size: int, position: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(handle, size, position)
    with _seeking:  # Windows
        os.lseek(handle, position, os.SEEK_SET)
        return os.read(handle, size)


def _write_at(handle: int, data: memoryview, position: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(handle, data, position)
    with _seeking:  # Windows
        os.lseek(handle, position, os.SEEK_SET)
        return os.write(handle, data)
