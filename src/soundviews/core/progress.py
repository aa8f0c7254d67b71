"""The progress bar of every long task: on standard error, so that what a command prints can be piped.

In a terminal and in a notebook it is drawn (and only then rich is imported); elsewhere, as in a log file, it is a plain
line every half a minute.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from soundviews.core.streams import is_terminal, show_line

DRAWN_EVERY = 0.1  # seconds
PLAIN_EVERY = 30.0  # seconds
_BYTES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("bytes", 1.0))


class Advance:
    """What a task tells its bar. Calling it with a count says that so many more units are done.

    Args:
        total: Units in all; None where that is not known.
        unit: "clips", "steps", ...; "bytes" are shown as kB, MB and GB.
        show: Called now and then, and at the end, to bring what is drawn up to date.
        every: Seconds between two calls of `show`.
        audio_total: Seconds of audio in all, where that is what takes the time: units may be of any length.
    """

    def __init__(
        self, total: float | None, unit: str, show: Callable[[], None], every: float, audio_total: float | None = None
    ) -> None:
        self.total, self.unit, self.audio_total = total, unit, audio_total
        self.done, self.audio_seconds, self.note = 0.0, 0.0, ""
        self._show, self._every = show, every
        self._before = self._audio_before = 0.0  # what an earlier run had done says nothing of the rate
        self._started = self._shown = time.monotonic()

    def __call__(self, count: float = 1, audio_seconds: float = 0.0, note: str = "") -> None:
        """So many more units are done, and so many more seconds of audio."""
        self.reach(self.done + count, self.audio_seconds + audio_seconds, note)

    def skip(self, count: float, audio_seconds: float = 0.0) -> None:
        """So many units, and seconds of audio, were done before this task began; they do not count as its speed."""
        self._before += count
        self.done += count
        self._audio_before += audio_seconds
        self.audio_seconds += audio_seconds

    def reach(self, done: float, audio_seconds: float = 0.0, note: str = "", total: float | None = None) -> None:
        """So many units, and seconds of audio, are done in all.

        Args:
            note: Something to show beside them, as "loss 0.31".
            total: How many there are in all, where the task has learnt that only now.
        """
        self.done, self.audio_seconds = done, audio_seconds
        self.note = note or self.note
        self.total = self.total if total is None else total
        if (now := time.monotonic()) - self._shown >= self._every:
            self._shown = now
            self._show()

    def counts(self) -> str:
        """What is done of what there is: "12/300 recordings"."""
        name, size = self._scale()
        digits = 1 if size > 1 else 0
        done = f"{self.done / size:,.{digits}f}" if size > 1 else f"{int(self.done):,}"
        return f"{done} {name}" if self.total is None else f"{done}/{self.total / size:,.{digits}f} {name}"

    def rate(self) -> str:
        """How fast: "3.2 steps/s", or for recordings "1.2/30.0 h, 340x real time"."""
        name, size = self._scale()
        texts = [f"{self._speed() / size:,.1f} {name}/s"]
        if self.audio_seconds:
            whole = "" if self.audio_total is None else f"/{self.audio_total / 3600:,.2f}"
            texts = [f"{self.audio_seconds / 3600:,.2f}{whole} h, {self._audio_speed():,.0f}x real time"]
        return ", ".join([*texts, self.note] if self.note else texts)

    def remaining(self) -> str:
        """The time that is left, in the end the time it took, h:mm:ss; "" where nobody can tell."""
        if self.done == self.total:
            return f"in {_clock(time.monotonic() - self._started)}"
        if self.audio_total is not None:
            speed, audio_left = self._audio_speed(), max(self.audio_total - self.audio_seconds, 0.0)
            return f"{_clock(audio_left / speed)} left" if speed else ""
        speed = self._speed()
        return f"{_clock((self.total - self.done) / speed)} left" if self.total is not None and speed else ""

    def _speed(self) -> float:
        return (self.done - self._before) / max(time.monotonic() - self._started, 1e-9)

    def _audio_speed(self) -> float:
        return (self.audio_seconds - self._audio_before) / max(time.monotonic() - self._started, 1e-9)

    def _scale(self) -> tuple[str, float]:
        if self.unit != "bytes":
            return self.unit, 1.0
        return next((row for row in _BYTES if max(self.done, self.total or 0) >= row[1]), _BYTES[-1])


def _clock(seconds: float) -> str:
    """h:mm:ss"""
    whole = max(0, round(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


@contextmanager
def bar(
    label: str, total: float | None, unit: str, shown: bool = True, audio_total: float | None = None
) -> Iterator[Advance]:
    """Show how far a task is, how fast it goes, and how much time remains; for recordings the hours of audio, too.

    Args:
        label: What is being done: "separating".
        total: Units in all; None where that is not known.
        unit: Their name: "clips"; "bytes" are shown as kB, MB and GB.
        shown: False shows nothing.
        audio_total: Seconds of audio in all: the time that remains is then by them, not by units.

    Yields:
        `advance`: `advance(3)` says that three more are done; see `Advance` for the rest.
    """
    if not shown:
        yield Advance(total, unit, lambda: None, float("inf"))
    elif is_terminal(sys.stderr) or _is_notebook():
        with _drawn(label, total, unit, audio_total) as advance:
            yield advance
    else:
        with _plain(label, total, unit, audio_total) as advance:
            yield advance


def _is_notebook() -> bool:
    """Whether this is a notebook in which rich can draw."""
    return "ipykernel" in sys.modules and find_spec("ipywidgets") is not None


@contextmanager
def _drawn(label: str, total: float | None, unit: str, audio_total: float | None) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[counts]}"),
        TextColumn("{task.fields[rate]}", markup=False),
        TextColumn("{task.fields[remaining]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total, counts="", rate="", remaining="")

        def show() -> None:
            texts: dict[str, Any] = {
                "counts": advance.counts(),
                "rate": advance.rate(),
                "remaining": advance.remaining(),
            }
            progress.update(task, completed=advance.done, total=advance.total, **texts)

        advance = Advance(total, unit, show, DRAWN_EVERY, audio_total)
        try:
            yield advance
        finally:
            show()


@contextmanager
def _plain(label: str, total: float | None, unit: str, audio_total: float | None) -> Iterator[Advance]:
    lines = 0

    def show() -> None:
        nonlocal lines
        lines += 1
        texts = (advance.counts(), advance.rate(), advance.remaining())
        show_line(f"{label}: {', '.join(text for text in texts if text)}")

    advance = Advance(total, unit, show, PLAIN_EVERY, audio_total)
    try:
        yield advance
    finally:
        if lines:  # of a task that took long, the end is worth a line, too
            show()
