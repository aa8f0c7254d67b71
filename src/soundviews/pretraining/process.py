"""A training leaves the process that it ran in as it found it."""

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def process_as_it_was() -> Iterator[None]:
    """Put back signal handlers, the environment, levels of loggers, warning filters, the number of threads, torch's
    random state and its gradient mode, whatever the block does and however it ends.

    Lightning leaves a handler for SIGTERM behind with which `kill` no longer ends the program, and makes an exit with
    code 1 of an interruption that it meets: here that is raised as what it was.
    """
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    environment, levels, threads = dict(os.environ), _levels(), torch.get_num_threads()
    states = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    in_group = _is_in_group()
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), torch.set_grad_enabled(True):
            yield
    except SystemExit as end:
        if isinstance(end.__context__, KeyboardInterrupt):
            raise end.__context__ from None
        raise
    finally:
        if states:
            torch.cuda.set_rng_state_all(states)
        if _is_in_group() and not in_group:
            torch.distributed.destroy_process_group()
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
        _restore(handlers)


def device_rank(devices: int) -> int:
    """This process's number among those of a run on several devices, as Lightning tells those it starts."""
    return int(os.environ.get("LOCAL_RANK", 0)) if devices > 1 else 0


def _levels() -> dict[str, int]:
    loggers = logging.root.manager.loggerDict.items()
    return {name: logger.level for name, logger in loggers if isinstance(logger, logging.Logger)}


def _is_in_group() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _restore(handlers: dict[signal.Signals, Any]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # only there are they set, and only there can they be
    for number, handler in handlers.items():
        if handler is not None and signal.getsignal(number) != handler:  # None: not set from Python
            signal.signal(number, handler)
