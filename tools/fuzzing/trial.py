"""One case: a copy of whole files, one of them damaged, put to use in a process that may crash, hang or grow."""

import contextlib
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import traceback
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from soundviews.core.errors import SoundviewsError
from tools.fuzzing.damage import damaged
from tools.fuzzing.subjects import SUBJECTS

MOST_SECONDS = 20.0  # of computing, for a case
MOST_WAITING = 600.0  # seconds; whoever waits for something that never comes does not compute
MOST_BYTES = 4 << 30  # beside what the process has when it starts

Kind = Literal["used", "left out", "refused", "FAILED"]


class Outcome(NamedTuple):
    """kind: only "FAILED" must not be. text: what was said, or the traceback."""

    kind: Kind
    text: str


class Case(NamedTuple):
    subject: str
    seed: int
    number: int


class Workshop:
    """A folder with whole files of every subject, made once, and a process that uses damaged copies of them."""

    def __init__(self, folder: Path, subjects: Sequence[str]) -> None:
        self.folder, self.subjects = folder, subjects
        self._process: Any = None

    def whole(self, subject: str) -> Path:
        """The folder with the subject's whole files."""
        folder = self.folder / "whole" / str(list(SUBJECTS).index(subject))
        if not folder.exists():
            folder.mkdir(parents=True)
            with self._cache(), _quiet():
                SUBJECTS[subject].make(folder)
        return folder

    def damage(self, case: Case) -> tuple[Path, Path]:
        """A copy of the whole files with the case's damage, and the file that has it."""
        copy, subject = self.folder / "case", SUBJECTS[case.subject]
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.whole(case.subject), copy)
        files = sorted({file for pattern in subject.damaged for file in copy.glob(pattern) if file.is_file()})
        rng = np.random.default_rng([case.seed, zlib.crc32(case.subject.encode()), case.number])
        file = files[rng.integers(len(files))]
        damaged(file, rng)
        return copy, file

    def try_case(self, case: Case) -> Outcome:
        """The outcome in a process of its own, whatever it does."""
        copy, file = self.damage(case)
        if self._process is None:
            self._start()
        process, connection = self._process
        with contextlib.suppress(OSError, EOFError):
            connection.send((case.subject, copy))
            if not connection.poll(MOST_WAITING):
                process.kill()
                return self._ended(f"not done after {MOST_WAITING:g} s")
            outcome: Outcome = connection.recv()
            return outcome._replace(text=f"{file.relative_to(copy)}: {outcome.text}")
        process.join()
        return self._ended(f"the process died: {_how(process.exitcode)}")

    def use(self, subject: str, copy: Path) -> Outcome:
        """The outcome in this process."""
        with self._cache(), _quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                skipped = SUBJECTS[subject].use(copy, self.whole(subject))
            except SoundviewsError as error:
                return _judged("refused", str(error))
            except OSError as error:
                if error.filename is not None:  # what `soundviews` says in one line
                    return Outcome("refused", str(error))
                return Outcome("FAILED", traceback.format_exc())
            except BaseException:
                return Outcome("FAILED", traceback.format_exc())
        if not skipped:
            return Outcome("used", "")
        return _judged("left out", f"{skipped[0].path}: {skipped[0].reason}")

    def close(self) -> None:
        if self._process is not None:
            process, connection = self._process
            connection.close()
            process.kill()
            process.join()
            self._process = None

    def _start(self) -> None:
        for subject in self.subjects:  # by this process: the files must outlive the one that crashes
            self.whole(subject)
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(self.folder, self.subjects, here, there), daemon=True)
        process.start()
        there.close()
        self._process = process, here

    def _ended(self, text: str) -> Outcome:
        self.close()
        return Outcome("FAILED", text)

    @contextlib.contextmanager
    def _cache(self) -> Iterator[None]:
        """A cache that no case before has written to, and not the one of the person who runs this."""
        before = os.environ.get("SOUNDVIEWS_CACHE")
        os.environ["SOUNDVIEWS_CACHE"] = str(self.folder / "cache")
        try:
            yield
        finally:
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
            os.environ.pop("SOUNDVIEWS_CACHE") if before is None else os.environ.update(SOUNDVIEWS_CACHE=before)


def _judged(kind: Kind, text: str) -> Outcome:
    """A text of one line, or a failure."""
    return (
        Outcome(kind, text) if text and "\n" not in text else Outcome("FAILED", f"{kind}, but not in one line: {text}")
    )


def _serve(folder: Path, subjects: Sequence[str], parents: Any, connection: Any) -> None:
    parents.close()  # a copy of it: without, this process would not notice when the other one ends
    import torch

    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory()
    workshop = Workshop(folder, subjects)
    with contextlib.suppress(EOFError):
        while True:
            asked = connection.recv()
            _limit_time()
            connection.send(workshop.use(*asked))


def _limit_memory() -> None:
    if sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST_BYTES, resource.RLIM_INFINITY))


def _limit_time() -> None:
    """SIGXCPU ends this process when it has computed for MOST_SECONDS more."""
    if sys.platform != "win32":
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        until = int(used.ru_utime + used.ru_stime + MOST_SECONDS) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere), contextlib.redirect_stdout(nowhere):
            yield
    finally:
        logging.disable(level)


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
