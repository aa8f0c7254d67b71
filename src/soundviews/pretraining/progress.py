"""What a run shows while it works, and how it stops when asked."""

import signal
import sys
import threading
import time
from typing import Any

import lightning.pytorch as pl
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class ProgressBar(pl.Callback):
    """Steps, rate, remaining time and the loss; plain lines now and then where there is no terminal."""

    def __init__(self, steps: int) -> None:
        self.steps, self.first, self.started, self.told = steps, 0, 0.0, 0.0
        self.bar: Progress | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.first, self.started = trainer.global_step, time.monotonic()
        if trainer.is_global_zero and sys.stderr.isatty():
            self.bar = Progress(
                TextColumn("training"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[loss]}"),
            )
            self.bar.start()
            self.bar.add_task("", total=self.steps, completed=self.first, rate="", loss="")

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        step, now = trainer.global_step, time.monotonic()
        rate = (step - self.first) / max(now - self.started, 1e-9)
        if not trainer.is_global_zero or (now - self.told < (0.5 if self.bar else 30) and step < self.steps):
            return
        self.told = now
        loss = float(outputs["loss"]) if isinstance(outputs, dict) else float("nan")
        if self.bar:
            self.bar.update(self.bar.task_ids[0], completed=step, rate=f"{rate:.2f} steps/s", loss=f"loss {loss:.3f}")
        else:
            left = (self.steps - step) / max(rate, 1e-9)
            print(
                f"step {step}/{self.steps}  {rate:.2f} steps/s  {left:.0f} s left  loss {loss:.3f}",
                file=sys.stderr,
            )

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if self.bar:
            self.bar.stop()
            self.bar = None


class StopOnSignal(pl.Callback):
    """The first Ctrl-C (or SIGTERM) ends the run after the step at hand, with a checkpoint; a second at once.

    It ends after a whole optimiser step, of all its accumulated batches, and after the same one on every device:
    only from there can the run go on as if it had not been stopped.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if threading.current_thread() is not threading.main_thread():
            return

        def ask(number: int, frame: Any) -> None:
            if self.asked:
                raise KeyboardInterrupt
            self.asked = True
            if trainer.is_global_zero:
                print("\nstopping after this step (again to stop at once)", file=sys.stderr)

        self._before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        if (index + 1) % trainer.accumulate_grad_batches:
            return
        if trainer.strategy.reduce_boolean_decision(self.asked, all=False):
            self.asked = trainer.should_stop = True

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
