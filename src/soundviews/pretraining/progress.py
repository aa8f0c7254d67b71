"""What a run shows while it works, and how it stops when asked."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import lightning.pytorch as pl

from soundviews.core.progress import Advance, bar

SHOWN_EVERY = 0.5  # seconds; reading the loss waits for the device

logger = logging.getLogger(__name__)


class ProgressBar(pl.Callback):
    """Steps, rate, remaining time and the loss."""

    def __init__(self, steps: int) -> None:
        self.steps, self.told = steps, 0.0
        self.advance: Advance | None = None
        self._shown = ExitStack()

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            self._show(trainer.global_step)

    def _show(self, step: int) -> None:
        self.advance = self._shown.enter_context(bar("training", self.steps, "steps"))
        self.advance.skip(step)

    @contextmanager
    def hidden(self, step: int) -> Iterator[None]:
        """Without the bar within the block, so that something can be asked."""
        shown = self.advance is not None
        self._shown.close()
        yield
        if shown:
            self._show(step)

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        step, now = trainer.global_step, time.monotonic()
        if self.advance is None or (now - self.told < SHOWN_EVERY and step < self.steps):
            return
        self.told = now
        self.advance.reach(step, note=f"loss {float(outputs['loss']):.3f}" if isinstance(outputs, dict) else "")

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        self._shown.close()
        self.advance = None


class StopOnSignal(pl.Callback):
    """The first Ctrl-C (or SIGTERM) ends the run after the step at hand, with a checkpoint; a second Ctrl-C at once.

    It ends after a whole optimiser step, of all its accumulated batches, and after the same one on every device:
    only from there can the run go on as if it had not been stopped. SIGTERM may come twice: `timeout` sends it to the
    program, and then to its group.

    Attributes:
        asked: Whether the run is to end after this step.
        number: The signal that asked first; None where it was another process that was asked.
    """

    def __init__(self) -> None:
        self.asked = False
        self.number: int | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if threading.current_thread() is not threading.main_thread():
            return

        process = os.getpid()

        def ask(number: int, frame: Any) -> None:
            if os.getpid() != process:  # a process that is only starting to load data
                return
            if self.asked and number == signal.SIGINT:
                raise KeyboardInterrupt
            if not self.asked and trainer.is_global_zero:
                logger.info("stopping after this step%s", " (again to stop at once)" if number == signal.SIGINT else "")
            self.asked, self.number = True, self.number or number

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, ask)

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        if (index + 1) % trainer.accumulate_grad_batches:
            return
        if trainer.strategy.reduce_boolean_decision(self.asked, all=False):
            self.asked = trainer.should_stop = True
