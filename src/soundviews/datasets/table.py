"""Reading the CSV tables that datasets come with."""

import csv
from collections.abc import Sequence
from pathlib import Path

from soundviews.audio.corpus import Skipped
from soundviews.errors import SoundviewsError


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a CSV file by column name.

    Raises:
        SoundviewsError: The file is missing, not UTF-8, lacks one of `columns`, or a row is cut off.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SoundviewsError(f"cannot read {path}: {error}") from error
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise SoundviewsError(f"{path} has no column {missing[0]!r}; expected {', '.join(columns)}")
    for number, row in enumerate(rows, start=2):
        if any(row[name] is None for name in columns):
            raise SoundviewsError(f"{path}, line {number}: fewer columns than the header has")
    return rows


def present(root: Path, paths: Sequence[str]) -> tuple[list[int], list[Skipped]]:
    """Which of `paths` (relative to `root`) are there, as indices, and the others as skipped recordings."""
    listed = {folder: _names(root / folder) for folder in {str(Path(path).parent) for path in paths}}
    there = [Path(path).name in listed[str(Path(path).parent)] for path in paths]
    kept = [index for index, found in enumerate(there) if found]
    return kept, [
        Skipped(str(root / path), "no such file") for path, found in zip(paths, there, strict=True) if not found
    ]


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
