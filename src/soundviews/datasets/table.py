"""Reading the tables that datasets come with."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from soundviews.audio.corpus import Skipped
from soundviews.audio.delimited import read_delimited
from soundviews.core.errors import SoundviewsError


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a table of text by column name; see `numbered_rows`."""
    return [row for _, row in numbered_rows(path, columns)]


def numbered_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, fields by column name) of each row below the header, in whatever dialect the file came to be.

    Raises:
        SoundviewsError: The file cannot be read, lacks one of `columns`, or a row has not as many fields as the header.
    """
    rows = read_delimited(path, [name.lower() for name in columns])
    names = [name.strip() for name in next(rows, (1, []))[1]]
    missing = [name for name in columns if name not in names]
    if missing:
        raise SoundviewsError(f"{path} has no column {missing[0]!r}; expected {', '.join(columns)}")
    for line, row in rows:
        yield line, dict(zip(names, row, strict=True))


def present(root: Path, paths: Sequence[str]) -> tuple[list[int], list[Skipped]]:
    """Which of `paths` (relative to `root`) are there, as indices, and the others as skipped recordings.

    Folders are listed once, and no path is made an object: VoxCeleb1 and NSynth list hundreds of thousands.
    """
    split = [path.rpartition("/")[::2] for path in paths]
    names = {folder: _names(root / folder) for folder in {folder for folder, _ in split}}
    kept, skipped = [], []
    for index, (folder, name) in enumerate(split):
        if name in names[folder]:
            kept.append(index)
        else:
            skipped.append(Skipped(os.path.join(root, paths[index]), "no such file"))
    return kept, skipped


def _names(folder: Path) -> set[str]:
    return set(os.listdir(folder)) if folder.is_dir() else set()
