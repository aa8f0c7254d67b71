"""Separate recordings into files, one for each channel, so that an interruption costs one recording at most."""

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.separation.blocks import BLOCK_SECONDS
from soundviews.separation.channel_files import all_or_none, read_chunks, write_channels
from soundviews.separation.processor import Processor

Format = Literal["flac", "wav"]
Part = tuple[str, float, float | None]  # path relative to the root; start, end in seconds, end None for the whole
Unread = tuple[str, float, str]  # path, start, reason


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
    """recordings: how many are separated, `already` of them by an earlier call; scaled: how many of all had to be
    scaled down; skipped: what could not be read."""

    recordings: int = 0
    already: int = 0
    scaled: int = 0
    skipped: list[Unread] = field(default_factory=list)


def apply_files(
    processor: Processor,
    root: Path,
    parts: Sequence[Part],
    out: Path,
    form: Format = "flac",
    block_seconds: float = BLOCK_SECONDS,
    strict: bool = False,
    skipped: Sequence[Unread] = (),
    progress: Callable[[int, float], None] | None = None,
) -> Applied:
    """Write the channels of every recording; what an earlier call has written is left as it is.

    `OUT/separated.csv` names the files. WAV is 32 bit float. FLAC has 24 bits and ends at full scale, which a channel
    may pass: then all channels of that recording are scaled by one gain, so that they still sum to the recording
    times that gain. `OUT/skipped.csv` names what could not be read.

    Args:
        processor: What separates.
        root: What paths are relative to.
        parts: Recordings or stretches of them. Those in `out` are passed over: they are earlier results.
        out: A folder, new or of an earlier call with the same processor and blocks.
        form: What to write.
        block_seconds: Longer recordings are separated in blocks of this length.
        strict: Stop at the first recording that cannot be read.
        skipped: What was left out before.
        progress: Called after every block as (recordings done, seconds of audio separated).

    Raises:
        SoundviewsError: another processor's channels in `out`, nothing to read, a full disk.
    """
    if form not in get_args(Format):
        raise SoundviewsError(f"no format {form!r}; there are {', '.join(get_args(Format))}")
    parts = [part for part in parts if out.absolute() not in (root.absolute() / part[0]).parents]
    if not parts:
        raise SoundviewsError(f"all recordings lie in {out}: name another --out")
    result = Applied(skipped=list(skipped))
    if strict and skipped:
        raise SoundviewsError(f"{skipped[0][0]}: {skipped[0][2]}")
    kept, meter = _Kept(out, root, processor, block_seconds), _Meter(progress)
    for number, (part, name) in enumerate(zip(parts, output_names(parts), strict=True)):
        files = [f"{name}_{channel}.{form}" for channel in range(processor.sources)]
        try:
            gain = kept.gain(part, files)
            result.already += gain is not None
            if gain is None:
                gain = kept.separate(part, files, partial(meter.add, number))
            result.recordings += 1
            result.scaled += gain != 1
        except UnreadableClip as error:
            if strict:
                raise SoundviewsError(f"{part[0]}: {error}") from error
            result.skipped.append((part[0], part[1], str(error)))
        meter.add(number + 1)
    _name_skipped(out, result.skipped)
    if not result.recordings:
        first = result.skipped[0]
        raise SoundviewsError(f"not one of the recordings could be read; the first, {first[0]}: {first[2]}")
    return result


@dataclass
class _Meter:
    """Adds up the seconds for `progress`."""

    progress: Callable[[int, float], None] | None
    seconds: float = 0.0

    def add(self, recordings: int, seconds: float = 0.0) -> None:
        self.seconds += seconds
        if self.progress is not None:
            self.progress(recordings, self.seconds)


def output_names(parts: Sequence[Part]) -> list[str]:
    """A different name for each part: its path without the suffix; with it, or with its start, where need be."""
    names = [os.path.splitext(path)[0] for path, _, _ in parts]
    refined = (
        [path for path, _, _ in parts],
        [f"{path}_{start:g}s" for path, start, _ in parts],
        [f"{path}_{start:g}s_{number}" for number, (path, start, _) in enumerate(parts)],
    )
    for others in refined:
        counts = Counter(names)
        names = [other if counts[name] > 1 else name for name, other in zip(names, others, strict=True)]
    return names


class _Kept:
    """The channels in `out` and `separated.csv`: a recording's lines are added when its files are there."""

    def __init__(self, out: Path, root: Path, processor: Processor, block_seconds: float) -> None:
        self.out, self.root, self.processor, self.block_seconds = out, root, processor, block_seconds
        self.identity = f"{processor.name} {processor.digest}", f"{block_seconds:g}"
        self.place = out / "separated.csv"
        self.rows: dict[str, Row] = {}
        if self.place.exists():
            data = self.place.read_bytes()
            # A kill or a full disk may have left a line without its end, even within a letter.
            whole = io.StringIO(data[: data.rfind(b"\n") + 1].decode(), newline="")
            rows = [Row(*row) for row in list(csv.reader(whole))[1:] if len(row) == len(Row._fields)]
            for row in rows:
                self._check(row)
            self.rows = {row.file: row for row in rows}
        out.mkdir(parents=True, exist_ok=True)
        with all_or_none([self.place]) as (building,), open(building, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([Row._fields, *self.rows.values()])

    def _check(self, row: Row) -> None:
        if (row.processor, row.block_seconds) != self.identity:
            raise SoundviewsError(
                f"{self.out} holds channels of {row.processor} in blocks of {row.block_seconds} s, not of "
                f"{self.identity[0]} in blocks of {self.identity[1]} s: name another --out, or delete it to start anew"
            )

    def gain(self, part: Part, files: Sequence[str]) -> float | None:
        """The gain of files that are there and no older than their recording; None where they are not."""
        try:
            oldest = min(os.stat(self.out / file).st_mtime_ns for file in files)
            if oldest < os.stat(self.root / part[0]).st_mtime_ns or not all(file in self.rows for file in files):
                return None
        except OSError:
            return None
        return float(self.rows[files[0]].gain)

    def separate(self, part: Part, files: Sequence[str], heard: Callable[[float], None]) -> float:
        """Write a recording's channels, and what they are; returns their gain. `heard` is told of the seconds done."""
        path, start, end = part
        try:
            chunks = read_chunks(self.root / path, start, end, self.processor.sample_rate)
            places = [self.out / file for file in files]
            gain = write_channels(self.processor, chunks, places, self.block_seconds, heard)
            self._add(part, files, gain)
        except OSError as error:
            raise SoundviewsError(
                f"{self.out}: {error.strerror or error}. The channels that are done are kept; the same command goes on"
            ) from error
        return gain

    def _add(self, part: Part, files: Sequence[str], gain: float) -> None:
        rows = [
            Row(part[0], f"{part[1]:g}", str(channel), file, repr(gain), *self.identity)
            for channel, file in enumerate(files)
        ]
        self.rows |= {row.file: row for row in rows}
        with open(self.place, "a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)


def _name_skipped(out: Path, skipped: Sequence[tuple[str, float, str]]) -> None:
    place = out / "skipped.csv"
    if skipped:
        with all_or_none([place]) as (building,), open(building, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("recording", "start", "reason"), *skipped])
    else:
        place.unlink(missing_ok=True)
