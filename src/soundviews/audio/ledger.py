"""A list that several processes add to: the clips that were skipped, and why."""

import json
import os
import tempfile
import weakref
from pathlib import Path

from soundviews.audio.corpus import Skipped


class Ledger:
    """Skipped clips, each once, in one file that loader workers append to.

    It lives as long as the process that made it; copies in workers write to the same file.
    """

    def __init__(self) -> None:
        handle, self._path = tempfile.mkstemp(prefix="soundviews-skipped-", suffix=".jsonl")
        os.close(handle)
        self._known: set[Skipped] = set()
        weakref.finalize(self, _remove, self._path, os.getpid())

    def add(self, path: str, reason: str) -> None:
        entry = Skipped(path, reason)
        if entry in self._known:
            return
        self._known.add(entry)
        # One short write to a file opened for appending does not mix with another process's.
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, (json.dumps(entry) + "\n").encode())
        finally:
            os.close(handle)

    def entries(self) -> list[Skipped]:
        lines = Path(self._path).read_text(encoding="utf-8").splitlines()
        return list(dict.fromkeys(Skipped(*json.loads(line)) for line in lines))


def _remove(path: str, owner: int) -> None:
    if os.getpid() == owner:
        Path(path).unlink(missing_ok=True)
