"""A progress bar with rate and remaining time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(label: str, total: int, unit: str, shown: bool) -> Iterator[Callable[[int], None]]:
    """Yield `advance(count)`. Drawn on standard error, so that tables can be piped."""
    if not shown:
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        item = progress.add_task(label, total=total, rate="")

        def advance(count: int) -> None:
            progress.advance(item, count)
            speed = progress.tasks[0].speed
            progress.update(item, rate=f"{speed:.1f} {unit}/s" if speed else "")

        yield advance
