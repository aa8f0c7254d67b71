"""Separate recordings into files, one for each channel, so that an interruption costs one recording at most."""

import csv
import errno
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from soundviews.audio.corpus import Corpus, Skipped
from soundviews.core.errors import SoundviewsError, UnreadableClip, option
from soundviews.core.files import remove_unfinished, written_whole
from soundviews.core.locks import locked
from soundviews.core.progress import bar
from soundviews.separation.blocks import BLOCK_SECONDS
from soundviews.separation.channel_files import read_chunks, write_channels
from soundviews.separation.output_names import Part, output_names
from soundviews.separation.processor import Processor

Format = Literal["flac", "wav"]


class Row(NamedTuple):
    """A line of `separated.csv`. gain: what every channel of the recording was multiplied by."""

    recording: str
    start: str
    channel: str
    file: str
    gain: str
    processor: str
    block_seconds: str


@dataclass
class Applied:
    """What `apply_files` has done.

    recordings: how many are separated, `already` of them by an earlier call; scaled: how many of all had to be scaled
    down; skipped: what could not be read, with paths from the corpus's root.
    """

    recordings: int = 0
    already: int = 0
    scaled: int = 0
    skipped: list[Skipped] = field(default_factory=list)


def apply_files(
    processor: Processor,
    corpus: Corpus,
    out: Path,
    form: Format = "flac",
    block_seconds: float = BLOCK_SECONDS,
    strict: bool = False,
    progress: bool = False,
    wait: bool = False,
) -> Applied:
    """Write the channels of every clip of a corpus; what an earlier call has written is left as it is.

    `OUT/separated.csv` names the files. WAV is 32 bit float. FLAC has 24 bits and ends at full scale, which a channel
    may pass: then all channels of that recording are scaled by one gain, so that they still sum to the recording
    times that gain. `OUT/skipped.csv` names what could not be read.

    Args:
        processor: What separates.
        corpus: From `open_corpus`; its clips may be recordings of any length. Those in `out` are passed over: they
            are earlier results.
        out: A folder, new or of an earlier call with the same processor and blocks.
        form: What to write.
        block_seconds: Longer recordings are separated in blocks of this length.
        strict: Stop at the first recording that cannot be read.
        progress: Show a bar.
        wait: Wait for another process that is writing into `out`.

    Raises:
        SoundviewsError: another processor's channels in `out`, another process that is writing there, nothing to read,
            a full disk.
    """
    if form not in get_args(Format):
        raise SoundviewsError(f"no format {form!r}; there are {', '.join(get_args(Format))}")
    result = Applied(skipped=[Skipped(corpus.relative(path), reason) for path, reason in corpus.skipped])
    if strict and result.skipped:
        raise SoundviewsError(f"{result.skipped[0].path}: {result.skipped[0].reason}")
    parts = _parts_outside(corpus, out)
    with locked(out, inside=True, wait=wait):
        for folder in {(out / part).parent for part in output_names(parts)}:
            remove_unfinished(folder, seconds=0)
        kept = _Kept(out, Path(corpus.root), processor, block_seconds)
        _apply(kept, parts, result, form, strict, progress)
        _write_skipped(out / "skipped.csv", result.skipped)
    if not result.recordings:
        first = result.skipped[0]
        raise SoundviewsError(f"not one of the recordings could be read; the first, {first.path}: {first.reason}")
    return result


def _apply(kept: "_Kept", parts: list[Part], result: Applied, form: Format, strict: bool, progress: bool) -> None:
    """Separate the parts that are not kept yet, and tell `result` of each."""
    with bar("separating", len(parts), "recordings", progress) as advance:
        for part, name in zip(parts, output_names(parts), strict=True):
            files = [f"{name}_{channel}.{form}" for channel in range(kept.processor.sources)]
            try:
                gain = kept.gain(part, files)
                if gain is None:
                    gain = kept.separate(part, files, lambda seconds: advance(0, seconds))
                    advance()
                else:
                    result.already += 1
                    advance.skip(1)
                result.recordings += 1
                result.scaled += gain != 1
            except UnreadableClip as error:
                if strict:
                    raise SoundviewsError(f"{part.path}: {error}") from error
                result.skipped.append(Skipped(part.path, str(error)))
                advance()


def _parts_outside(corpus: Corpus, out: Path) -> list[Part]:
    """The clips of the corpus whose recordings do not lie in `out`."""
    clips = map(corpus.clip, range(len(corpus)))
    parts = [
        Part(corpus.relative(clip.path), clip.start, clip.end)
        for clip in clips
        if out.absolute() not in Path(clip.path).absolute().parents
    ]
    if not parts:
        raise SoundviewsError(f"all recordings lie in {out}: name another {option('out')}")
    return parts


class _Kept:
    """The channels in `out` and `separated.csv`: a recording's lines are added when its files are there."""

    def __init__(self, out: Path, root: Path, processor: Processor, block_seconds: float) -> None:
        self.out, self.root, self.processor, self.block_seconds = out, root, processor, block_seconds
        self.identity = f"{processor.name} {processor.digest}", f"{block_seconds:g}"
        self.table = out / "separated.csv"
        self.rows: dict[str, Row] = {}
        if self.table.exists():
            data = self.table.read_bytes()
            # A kill or a full disk may have left a line without its end, even within a letter.
            whole = io.StringIO(data[: data.rfind(b"\n") + 1].decode(errors="replace"), newline="")
            rows = [Row(*row) for row in list(csv.reader(whole))[1:] if len(row) == len(Row._fields)]
            for row in rows:
                self._check(row)
            self.rows = {row.file: row for row in rows}
        with written_whole(self.table) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([Row._fields, *self.rows.values()])

    def _check(self, row: Row) -> None:
        if (row.processor, row.block_seconds) != self.identity:
            raise SoundviewsError(
                f"{self.out} holds channels of {row.processor} in blocks of {row.block_seconds} s, not of "
                f"{self.identity[0]} in blocks of {self.identity[1]} s: name another "
                f"{option('out')}, or delete it to start anew"
            )

    def gain(self, part: Part, files: Sequence[str]) -> float | None:
        """The gain of files that are there and no older than their recording; None where they are not."""
        try:
            oldest = min(os.stat(self.out / file).st_mtime_ns for file in files)
            if oldest < os.stat(self.root / part.path).st_mtime_ns or not all(file in self.rows for file in files):
                return None
            return float(self.rows[files[0]].gain)
        except (OSError, ValueError):  # not there, or a damaged line
            return None

    def separate(self, part: Part, files: Sequence[str], heard: Callable[[float], None]) -> float:
        """Write a recording's channels, and what they are; returns their gain. `heard` is told of the seconds done."""
        try:
            chunks = read_chunks(self.root / part.path, part.start, part.end, self.processor.sample_rate)
            paths = [self.out / file for file in files]
            gain = write_channels(self.processor, chunks, paths, self.block_seconds, heard)
            self._add(part, files, gain)
        except OSError as error:
            if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ):
                raise UnreadableClip(f"its channels cannot be named: {error.strerror}") from error
            raise SoundviewsError(
                f"{self.out}: {error.strerror or error}. The channels that are done are kept; the same command goes on"
            ) from error
        return gain

    def _add(self, part: Part, files: Sequence[str], gain: float) -> None:
        rows = [
            Row(part.path, f"{part.start:g}", str(channel), file, repr(gain), *self.identity)
            for channel, file in enumerate(files)
        ]
        self.rows |= {row.file: row for row in rows}
        with open(self.table, "a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)


def _write_skipped(path: Path, skipped: Sequence[Skipped]) -> None:
    if not skipped:
        path.unlink(missing_ok=True)
        return
    with written_whole(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([Skipped._fields, *skipped])
