"""How a program that is asked to end says what was kept: Ctrl-C, or SIGTERM of a system that wants its machine back."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

AGAIN_SECONDS = 3.0  # less than the five after which PyTorch is rid of a loading process that does not end


class Terminated(KeyboardInterrupt):
    """SIGTERM, which everything treats as it treats Ctrl-C; only the exit code tells them apart."""


def interruption(number: int | None) -> KeyboardInterrupt:
    """What signal `number` raises; None is a Ctrl-C that another process of the run was told of."""
    return Terminated() if number == signal.SIGTERM else KeyboardInterrupt()


def exit_code(stop: KeyboardInterrupt) -> int:
    """130 after Ctrl-C, 143 after SIGTERM, as shells count them."""
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


@contextmanager
def interrupted_says(text: str) -> Iterator[None]:
    """An interruption of the block carries `text`, what was kept and how to go on, unless it says that already."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if not what_was_kept(stop):
            stop.add_note(text)
        raise


def what_was_kept(stop: KeyboardInterrupt) -> str:
    """What `interrupted_says` added, to this interruption or to the one that it came upon; "" if nothing."""
    error: BaseException | None = stop
    while error is not None:
        if isinstance(error, KeyboardInterrupt) and hasattr(error, "__notes__"):
            return str(error.__notes__[0])
        error = error.__context__
    return ""


def raise_on_termination() -> None:
    """SIGTERM raises `Terminated` here, once: `timeout` and its like send it twice, and what is being left must end.

    Where the program was started with SIGTERM ignored, or has a handler, that stays. Processes that this one forks
    leave SIGTERM to it.
    """
    if signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return
    process = os.getpid()

    def end(number: int, frame: Any) -> None:
        if os.getpid() == process:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            raise Terminated

    signal.signal(signal.SIGTERM, end)


def leave_signals_to_the_main_process() -> None:
    """For processes that only help: what ends the program reaches the whole group, and the main one sees to the end.

    SIGTERM that comes again AGAIN_SECONDS later or more ends this process, so that the main one can be rid of it;
    sooner, it is the second that `timeout` and its like send.
    """
    first = None

    def first_is_ignored(number: int, frame: Any) -> None:
        nonlocal first
        now = time.monotonic()
        if first is not None and now - first >= AGAIN_SECONDS:
            os._exit(128 + number)
        first = now if first is None else first

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, first_is_ignored)


def end_at_once_from_now_on(code: int) -> None:
    """Whoever asks again does not wait for what the program's end waits for."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(code))
