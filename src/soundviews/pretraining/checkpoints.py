"""Checkpoints: written whole or not at all, at a step's end; the last two are kept, in case a disk damages one."""

import logging
import os
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from soundviews.core.errors import SoundviewsError, words
from soundviews.core.files import remove_unfinished, written_whole

from .log import MetricsCsv

LAST, PREVIOUS = "last.ckpt", "last-1.ckpt"

logger = logging.getLogger(__name__)


def whole_checkpoint(run: Path) -> Path | None:
    """The newest checkpoint that a run can go on from, None where there is none yet.

    Raises:
        SoundviewsError: there is one, and it is damaged.
    """
    damaged: list[Path] = []
    for path in (run / "checkpoints" / LAST, run / "checkpoints" / PREVIOUS):
        if path.is_file() and is_whole(path):
            if damaged:
                logger.warning("%s is damaged; the one before it takes its place", damaged[0])
            return path
        damaged += [path] if path.is_file() else []
    if damaged:
        raise SoundviewsError(
            f"{damaged[0]} is damaged, and there is no earlier one: delete it, and the run begins anew"
        )
    return None


def settle_checkpoints(run: Path) -> None:
    """Have a whole checkpoint as `last.ckpt`, if there is one."""
    path = whole_checkpoint(run)
    if path is not None and path.name != LAST:
        os.replace(path, path.with_name(LAST))


def is_whole(checkpoint: Path) -> bool:
    """Whether every byte is as it was written; nothing is unpickled but tensors and plain values."""
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            if archive.testzip() is not None:
                return False
        return "global_step" in torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    except (OSError, zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError, EOFError, ValueError, TypeError):
        return False


class AtomicIO(TorchCheckpointIO):
    """Writes whole or not at all: a kill or a full disk leaves the previous file. That of `last.ckpt` is kept.

    Args:
        command: What resumes the run, before `--resume`.
    """

    def __init__(self, command: str) -> None:
        super().__init__()
        self.command = command

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        path = Path(path)
        try:
            remove_unfinished(path.parent, seconds=0)  # the run is locked: nobody else writes there
            with written_whole(path) as temporary:
                with open(temporary, "wb") as file:
                    torch.save(checkpoint, file)
                    file.flush()
                    os.fsync(file.fileno())
                if path.name == LAST and path.is_file():
                    os.replace(path, path.with_name(PREVIOUS))
        except (OSError, RuntimeError) as error:  # torch reports a full disk or a file's limit as a RuntimeError
            again = words(f"{self.command} --resume {path.parent.parent}", "the same call again")
            raise SoundviewsError(
                f"cannot write the checkpoint {path} ({str(error).partition(chr(10))[0]}). The one before is kept: "
                f"make room, then go on with: {again}"
            ) from error


class Checkpoints(pl.Callback):
    """`last.ckpt` every so many steps and at the end; on request one file a period that stays.

    Args:
        directory: The run's `checkpoints/`.
        every: Optimiser steps between two writings of `last.ckpt`.
        keep_every: Optimiser steps between two files that stay, `step-00001000.ckpt`.
        table: Has the row of a step before the checkpoint of that step is written.
    """

    def __init__(self, directory: Path, every: int, keep_every: int | None, table: MetricsCsv) -> None:
        self.directory, self.every, self.keep_every, self.table = directory, every, keep_every, table
        self.saved = -1  # the step that last.ckpt is of

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        step = trainer.global_step
        if (index + 1) % trainer.accumulate_grad_batches:
            return
        if step % self.every == 0 or trainer.should_stop:
            if step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
                # Lightning logs a step after its callbacks: a kill between them would lose the row.
                self.table.log_metrics({key: value.item() for key, value in trainer.callback_metrics.items()}, step - 1)
            self._save(trainer, "last")
            self.saved = step
        if self.keep_every and step % self.keep_every == 0:
            self._save(trainer, f"step-{step:08d}")

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.global_step != self.saved:
            self._save(trainer, "last")

    def _save(self, trainer: pl.Trainer, name: str) -> None:
        require_finite(trainer)
        trainer.save_checkpoint(self.directory / f"{name}.ckpt")


def require_finite(trainer: pl.Trainer) -> None:
    """Keep nothing of weights that are NaN or infinite.

    Raises:
        SoundviewsError: they are.
    """
    finite = [parameter.isfinite().all() for parameter in trainer.lightning_module.parameters()]
    if not torch.stack(finite).all():
        raise SoundviewsError(
            f"the training has diverged: at step {trainer.global_step} some weights are NaN or infinite. What was kept "
            "before stays. Start a new run with a lower learning rate or with training.gradient_clip=1, and look for "
            "recordings whose samples are far beyond full scale"
        )


def ensure_room(directory: Path, parameters: int) -> None:
    """Fail before training where its checkpoints cannot be written.

    Args:
        parameters: How many numbers the networks hold; a checkpoint holds three of each (Adam), and there are
            three files at a time (the last two and the one being written), plus a best one.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError as error:
        raise SoundviewsError(f"cannot write into {directory}: {error}") from error
    needed, free = 4 * 3 * 4 * parameters, shutil.disk_usage(directory).free
    if free < needed:
        raise SoundviewsError(
            f"{directory} has {free / 1e6:.0f} MB free; the checkpoints of this recipe take {needed / 1e6:.0f} MB"
        )
