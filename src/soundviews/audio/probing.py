"""Read many headers at once."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from soundviews.audio.decode import probe
from soundviews.core.errors import UnreadableClip
from soundviews.core.progress import bar

# Scans shorter than this end before a bar could be read.
_WORTH_A_BAR = 2000
# Enough to keep every thread busy, few enough that millions of paths do not wait in memory as jobs.
_AT_ONCE = 4096


def probe_all(
    paths: Sequence[str], workers: int | None = None, progress: bool = True, strict: bool = False
) -> tuple[npt.NDArray[np.float64], dict[int, str]]:
    """Length of each recording in seconds, (paths,), NaN where it cannot be used, and why by index.

    Threads suffice: the time goes to the disk and to the decoder, which both release the interpreter.

    Raises:
        UnreadableClip: with `strict`, the first that cannot be used, with its path.
    """
    seconds, reasons = np.full(len(paths), np.nan), {}
    shown = progress and len(paths) >= _WORTH_A_BAR
    with (
        bar("reading headers", len(paths), "recordings", shown) as advance,
        ThreadPoolExecutor(workers or min(32, 4 * (os.cpu_count() or 1))) as pool,
    ):
        for first in range(0, len(paths), _AT_ONCE):
            for index, result in enumerate(pool.map(_seconds, paths[first : first + _AT_ONCE]), start=first):
                if isinstance(result, float):
                    seconds[index] = result
                elif strict:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise UnreadableClip(f"{paths[index]}: {result}")
                else:
                    reasons[index] = result
                advance()
    return seconds, reasons


def _seconds(path: str) -> float | str:
    try:
        return probe(path).seconds
    except UnreadableClip as error:
        return str(error)
