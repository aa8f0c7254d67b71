"""Open many recordings at once, for what their headers say and for what tells their content."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from soundviews.audio.content import UNREADABLE, content_of
from soundviews.audio.decode import probe
from soundviews.core.errors import UnreadableClip
from soundviews.core.progress import bar

# Scans shorter than this end before a bar could be read.
_WORTH_A_BAR = 2000
# Enough to keep every thread busy, few enough that millions of paths do not wait in memory as jobs.
_AT_ONCE = 4096


class Wanted(NamedTuple):
    """A recording to open.

    header: whether its length is wanted.
    stats: its size and its time of last change in nanoseconds, where its content is wanted.
    """

    path: str
    header: bool
    stats: tuple[int, int] | None


class Opened(NamedTuple):
    """What was found in the recordings, (recordings,) each.

    seconds: NaN where it was not wanted or the recording cannot be used.
    contents: as `content_of` has it, UNREADABLE where it was not wanted.
    reasons: why those that cannot be used cannot, by index.
    """

    seconds: npt.NDArray[np.float64]
    contents: npt.NDArray[np.int64]
    reasons: dict[int, str]


def thread_pool(workers: int | None) -> ThreadPoolExecutor:
    """Threads suffice: the time goes to the disk and to the decoder, which both release the interpreter."""
    return ThreadPoolExecutor(workers or min(32, 4 * (os.cpu_count() or 1)))


def open_all(
    wanted: Sequence[Wanted], workers: int | None = None, progress: bool = True, strict: bool = False
) -> Opened:
    """Look into many recordings.

    Raises:
        UnreadableClip: with `strict`, the first whose header cannot be used, with its path.
    """
    opened = Opened(np.full(len(wanted), np.nan), np.full(len(wanted), UNREADABLE), {})
    shown = progress and len(wanted) >= _WORTH_A_BAR
    with bar("reading headers", len(wanted), "recordings", shown) as advance, thread_pool(workers) as pool:
        for first in range(0, len(wanted), _AT_ONCE):
            results = pool.map(_open, wanted[first : first + _AT_ONCE])
            for index, (seconds, content, reason) in enumerate(results, start=first):
                opened.seconds[index], opened.contents[index] = seconds, content
                if reason and strict:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise UnreadableClip(f"{wanted[index].path}: {reason}")
                if reason:
                    opened.reasons[index] = reason
                advance()
    return opened


def probe_all(
    paths: Sequence[str], workers: int | None = None, progress: bool = True, strict: bool = False
) -> tuple[npt.NDArray[np.float64], dict[int, str]]:
    """Length of each recording in seconds, (paths,), NaN where it cannot be used, and why by index.

    Raises:
        UnreadableClip: with `strict`, the first that cannot be used, with its path.
    """
    opened = open_all([Wanted(path, True, None) for path in paths], workers, progress, strict)
    return opened.seconds, opened.reasons


def _open(wanted: Wanted) -> tuple[float, int, str]:
    content = content_of(wanted.path, *wanted.stats) if wanted.stats else UNREADABLE
    if not wanted.header:
        return np.nan, content, ""
    try:
        return probe(wanted.path).seconds, content, ""
    except UnreadableClip as error:
        return np.nan, content, str(error)
