"""What is to be shown may fail to be: a terminal is closed, a disk full, `| head` has read enough. Work goes on."""

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO


class _Forgiving(io.RawIOBase):
    """Passes on what is written, and drops what cannot be. error: why that was, of the first that was dropped."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        number: int = self._raw.fileno()
        return number

    def isatty(self) -> bool:
        return bool(self._raw.isatty())

    def write(self, data: Any) -> int:
        try:
            return self._raw.write(data) or len(data)
        except OSError as error:
            self.error = self.error or error
            return len(data)


def outlive_streams() -> None:
    """From here on writing to standard output or standard error raises nothing; `not_printed` tells of the former.

    Names that the stream's encoding lacks are written with backslashes. A stream that is closed is as /dev/null, so
    that no file which is opened later gets its number, and with it what libraries write there.
    """
    _open_closed_numbers()
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout, sys.stderr = _outliving(sys.stdout), _outliving(sys.stderr)


def not_printed() -> OSError | None:
    """Why something on standard output could not be printed, if so, once all of it is written."""
    sys.stdout.flush()
    stream = getattr(sys.stdout, "buffer", None)
    error: OSError | None = getattr(getattr(stream, "raw", stream), "error", None)
    return error


def show_line(text: str) -> None:
    """Write a line to standard error, if there is one that takes it."""
    if sys.stderr is None:  # a program without a terminal; print would take standard output
        return
    with suppress(OSError, ValueError):  # broken, closed, or of an encoding that lacks a letter
        print(text, file=sys.stderr, flush=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody can watch what is written."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _open_closed_numbers() -> None:
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # which takes the lowest free number


def _outliving(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper):  # a program that is no program of its own has arranged it
        return stream
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if not isinstance(raw, io.RawIOBase):
        return stream
    stream.flush()
    forgiving = _Forgiving(raw)
    return io.TextIOWrapper(
        forgiving if stream.write_through else io.BufferedWriter(forgiving),  # type: ignore[type-var,arg-type]
        stream.encoding,
        "backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
