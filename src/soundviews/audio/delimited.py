"""Tables of text as people have them: usual delimiters, encodings and line endings, empty lines, trailing fields."""

import codecs
import csv
import re
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO

from soundviews.core.errors import SoundviewsError

_DELIMITERS = ",;\t|"
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # the first line of what some spreadsheets write


def read_delimited(path: Path, known: Collection[str]) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of the header and of every row that is not empty, as long as the header each.

    Args:
        known: Names of columns, in lower case; the delimiter is the one by which most of them are in the header.

    Raises:
        SoundviewsError: The file cannot be read, or a row is longer or shorter than the header; names the line.
    """
    line = 1
    try:
        with open(path, encoding=encoding(path), newline="") as file:
            before, first, said = _first_line(file)
            line, width = before + 1, 0
            rows = csv.reader(chain([first], file), delimiter=said or _delimiter(first, known))
            for row in rows:
                if any(field.strip() for field in row):
                    width = width or _filled(row)
                    yield line, _as_wide(row, width, f"{path}, line {line}")
                line = before + rows.line_num + 1
    except (OSError, ValueError, TypeError, csv.Error) as error:  # TypeError: `sep=` names no delimiter
        raise SoundviewsError(f"cannot read {path}, line {line}: {error}") from error


def _first_line(file: TextIO) -> tuple[int, str, str | None]:
    """How many lines stand before the first that says something, that line, and the delimiter that `sep=` names."""
    before, said = 0, None
    while line := file.readline():
        if match := _SEP.fullmatch(line):
            said = match[1]
        elif line.strip():
            break
        before += 1
    return before, line, said


def _delimiter(header: str, known: Collection[str]) -> str:
    def columns(delimiter: str) -> tuple[int, int]:
        names = next(csv.reader([header], delimiter=delimiter), [])
        return sum(name.strip().lower() in known for name in names), len(names)

    return max(_DELIMITERS, key=columns)


def _filled(row: list[str]) -> int:
    """Fields up to the last that is not empty."""
    return max(number for number, field in enumerate(row, start=1) if field.strip())


def _as_wide(row: list[str], width: int, where: str) -> list[str]:
    if len(row) == width:
        return row
    if len(row) < width or _filled(row) > width:
        raise SoundviewsError(
            f"{where}: {len(row)} fields, the header has {width}; a field with the delimiter in it needs quotes"
        )
    return row[:width]


def encoding(path: Path) -> str:
    """The byte-order mark's encoding, else UTF-8 if the whole file is, else what Windows writes, else Latin-1."""
    with open(path, "rb") as file:
        head = file.read(2)
        if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        if 0 in head:  # the mark is missing, but one of the first letter's two bytes shows which half comes first
            return "utf-16-be" if head[0] == 0 else "utf-16-le"
        for name in ("utf-8", "cp1252"):
            file.seek(0)
            decoder = codecs.getincrementaldecoder(name)()
            try:
                while block := file.read(1 << 20):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            return "utf-8-sig" if name == "utf-8" else name
    return "latin-1"
