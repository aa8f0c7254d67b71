"""What a training will take on this machine, measured on its first steps; more than a day is asked about."""

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from soundviews.core.durations import said_duration
from soundviews.core.errors import SoundviewsError, option, words

from .progress import ProgressBar, StopOnSignal

LEAST_STEPS, LEAST_SECONDS = 2, 5.0  # that are measured, after the first step, which starts everything up
DAY = 86400.0  # seconds; what takes longer is asked about

Consent = Callable[[str], bool]
"""Is told what a training of more than a day takes; False ends it."""

logger = logging.getLogger(__name__)


class Declined(SoundviewsError):
    """Nobody wanted a training that takes so long."""


class Forecast(pl.Callback):
    """Says what the whole training takes once some steps are measured.

    Args:
        steps: Optimiser steps of the whole training.
        bar: Makes room for the question.
        stop: Ends the training after the step at hand, on every device.
        consent: Is asked in a new run that takes more than a day; None warns and goes on.

    Attributes:
        declined: What was said no to; "" if nothing was.
    """

    def __init__(self, steps: int, bar: ProgressBar, stop: StopOnSignal, consent: Consent | None) -> None:
        self.steps, self.bar, self.stop, self.consent = steps, bar, stop, consent
        self.declined, self.told, self.is_new = "", False, True
        self.started = 0.0
        self.first: tuple[int, float] | None = None  # the first step of this process, and when it ended

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.is_new, self.told = trainer.global_step == 0, not trainer.is_global_zero
        self.started = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        if self.told or (index + 1) % trainer.accumulate_grad_batches:
            return
        step, now = trainer.global_step, time.monotonic()
        if self.first is None:
            self.first = (step, now)
            return
        measured, seconds = step - self.first[0], now - self.first[1]
        if measured < LEAST_STEPS or seconds < LEAST_SECONDS or step == self.steps:
            return
        self.told = True
        left = (self.steps - step) * seconds / measured
        each = f"of {seconds / measured:.2g} seconds on this machine"
        if not self.is_new:
            logger.info("about %s left: %d steps %s", said_duration(left), self.steps - step, each)
            return
        whole = now - self.started + left
        text = f"about {said_duration(whole)} in all: {self.steps:,} steps {each}"
        logger.info("%s", text)
        if whole > DAY:
            self._ask(text, step)

    def _ask(self, text: str, step: int) -> None:
        if self.consent is None:
            logger.warning("this training takes more than a day; a shorter one: overrides, as training.steps=2000")
            return
        with self.bar.hidden(step):
            if not self.consent(text):
                self.declined, self.stop.asked = text, True

    def require_consent(self) -> None:
        """Raise `Declined` if the training was not wanted."""
        if self.declined:
            anyway = words(f", or say {option('yes')}", "")
            raise Declined(
                f"not trained, since it would take {self.declined}. Choose a shorter one, such as "
                f"{words('--recipe uclser/small or --set training.steps=2000', 'training.steps=2000')}{anyway}"
            )


@contextmanager
def removed_if_declined(directory: Path) -> Iterator[None]:
    """Remove a run that has just been made, and was not wanted when it said what it takes."""
    try:
        yield
    except Declined:
        shutil.rmtree(directory)
        raise
