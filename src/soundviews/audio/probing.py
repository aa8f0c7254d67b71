"""Read many headers at once."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text

from soundviews.audio.decode import probe
from soundviews.core.errors import UnreadableClip

# Scans shorter than this end before a bar could be read.
_WORTH_A_BAR = 2000
# Enough to keep every thread busy, few enough that millions of paths do not wait in memory as jobs.
_AT_ONCE = 4096


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:.0f} a second")


def probe_all(
    paths: Sequence[str], workers: int | None = None, progress: bool = True, strict: bool = False
) -> tuple[npt.NDArray[np.float64], dict[int, str]]:
    """Length of each recording in seconds, (paths,), NaN where it cannot be used, and why by position.

    Threads suffice: the time goes to the disk and to the decoder, which both release the interpreter.

    Raises:
        UnreadableClip: with `strict`, the first that cannot be used, with its path.
    """
    seconds, reasons = np.full(len(paths), np.nan), {}
    hidden = not progress or len(paths) < _WORTH_A_BAR
    columns = (BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    bar = Progress("reading headers", *columns, console=Console(stderr=True), disable=hidden, transient=True)
    with bar, ThreadPoolExecutor(workers or min(32, 4 * (os.cpu_count() or 1))) as pool:
        task = bar.add_task("", total=len(paths))
        for first in range(0, len(paths), _AT_ONCE):
            for place, result in enumerate(pool.map(_seconds, paths[first : first + _AT_ONCE]), start=first):
                if isinstance(result, float):
                    seconds[place] = result
                elif strict:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise UnreadableClip(f"{paths[place]}: {result}")
                else:
                    reasons[place] = result
                bar.advance(task)
    return seconds, reasons


def _seconds(path: str) -> float | str:
    try:
        return probe(path).seconds
    except UnreadableClip as error:
        return str(error)
