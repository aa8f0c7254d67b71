"""What to embed: files, folders and manifests become one list of stretches under a common root."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from soundviews.audio import scan
from soundviews.audio.decode import EXTENSIONS
from soundviews.core.errors import SoundviewsError

MANIFEST_SUFFIXES = frozenset((".csv", ".tsv", ".parquet"))


class Stretch(NamedTuple):
    """A recording, or a part of one. path: relative to the root; start, end: seconds, end None for the whole."""

    path: str
    start: float = 0.0
    end: float | None = None


class Skipped(NamedTuple):
    """A stretch that gave no vectors, and why."""

    recording: str
    start: float
    reason: str


@dataclass(frozen=True)
class Inputs:
    """root: what every stretch's path is relative to, so that a moved archive stays valid.
    fingerprint: of paths, sizes and modification times; skipped: what was listed and is not there, folders that
    cannot be read, names that cannot be kept as text."""

    root: Path
    stretches: list[Stretch]
    fingerprint: str
    skipped: list[Skipped]


def gather(places: Sequence[str | Path]) -> Inputs:
    """List the recordings at `places`: audio files, folders (searched to the bottom) and manifests.

    Raises:
        SoundviewsError: for a place that does not exist, or where no recording is found.
    """
    left_out: list[scan.Skipped] = []
    found = [stretch for place in places for stretch in _stretches(Path(place).absolute(), left_out)]
    if not found:
        looked = ", ".join(str(place) for place in places)
        raise SoundviewsError(f"no recordings in {looked}: looked for files ending in {' '.join(sorted(EXTENSIONS))}")
    root = _common_root([Path(place).absolute() for place in places], found)
    stretches: list[Stretch] = []
    skipped = [
        Skipped(os.path.relpath(path, root) if os.path.isabs(path) else path, 0.0, why) for path, why in left_out
    ]
    digest = hashlib.blake2b(digest_size=8)
    for path, start, end in found:
        name = os.path.relpath(path, root).replace(os.sep, "/")
        if not _is_text(name):
            skipped.append(Skipped(name.encode("utf-8", "replace").decode(), start, "its name is not UTF-8"))
            continue
        stretches.append(Stretch(name, start, end))
        digest.update(repr((name, start, end, *_size_and_time(path))).encode())
    return Inputs(root, stretches, digest.hexdigest(), skipped)


def _stretches(place: Path, left_out: list[scan.Skipped]) -> Iterator[Stretch]:
    if place.is_dir():
        yield from (Stretch(path) for path, _ in scan.recordings(place, left_out))
    elif not place.exists():
        raise SoundviewsError(f"{place} does not exist")
    elif place.suffix.lower() in MANIFEST_SUFFIXES:
        from soundviews.datasets.opening import open_corpus

        corpus = open_corpus(place)
        left_out += corpus.skipped
        for number in range(len(corpus)):
            clip = corpus.clip(number)
            yield Stretch(clip.path, clip.start, clip.end)
    else:
        yield Stretch(str(place))


def _common_root(places: list[Path], found: Iterable[Stretch]) -> Path:
    """The one folder given, or the deepest folder above all recordings."""
    if len(places) == 1 and places[0].is_dir():
        return places[0]
    return Path(os.path.commonpath({os.path.dirname(stretch.path) for stretch in found}))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _size_and_time(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns
