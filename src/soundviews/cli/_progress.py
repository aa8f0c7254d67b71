"""The progress bar of work on recordings."""

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def recordings_bar(total: int) -> Iterator[Callable[[float, float, int], None]]:
    """Show recordings done of `total`, the hours of audio, the rate as a multiple of real time, and what remains.

    Yields:
        advance(recordings done, seconds of audio so far, windows so far).
    """
    import time

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.fields[count]}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("remaining"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    started = time.monotonic()
    with bar:
        task = bar.add_task("", total=total, count=f"0/{total} recordings", rate="")

        def advance(done: float, seconds: float, windows: int) -> None:
            speed = seconds / max(time.monotonic() - started, 1e-9)
            bar.update(
                task,
                completed=done,
                count=f"{int(done):,}/{total:,} recordings, {windows:,} windows",
                rate=f"{seconds / 3600:.1f} h at {speed:,.0f}x real time",
            )

        yield advance
