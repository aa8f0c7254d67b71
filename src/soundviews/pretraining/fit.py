"""The steps of a training, from its last checkpoint to its end, the same way for every kind of run."""

import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
import torch
from lightning.pytorch.loggers import TensorBoardLogger

from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import TrainingLoader, training_loader
from soundviews.core.errors import SoundviewsError, option, words
from soundviews.core.interruption import interruption
from soundviews.recipes.schema import Recipe
from soundviews.recipes.separator import SeparatorRecipe

from .checkpoints import LAST, AtomicIO, Checkpoints
from .directory import write_skipped
from .forecast import Consent, Forecast
from .log import MetricsCsv
from .process import device_rank, process_as_it_was
from .progress import ProgressBar, StopOnSignal
from .settings import RunSettings


class Run(NamedTuple):
    """What any training goes on from.

    command: what resumes the run, before `--resume`.
    """

    directory: Path
    recipe: Recipe | SeparatorRecipe
    corpus: Corpus
    settings: RunSettings
    command: str


def last_checkpoint(directory: Path) -> Path:
    """Where a run keeps what it goes on from."""
    return directory / "checkpoints" / LAST


def steps_done(directory: Path) -> int:
    """Optimiser steps in the run's last checkpoint."""
    last = last_checkpoint(directory)
    if not last.is_file():
        return 0
    return int(torch.load(last, map_location="cpu", weights_only=True, mmap=True)["global_step"])


def count_steps(recipe: Recipe, clips: int, settings: RunSettings) -> int:
    """Optimiser steps of a training on so many clips."""
    training = recipe.training
    per_epoch = clips // (training.batch_size * settings.devices * training.accumulate)
    return training.steps or max(1, round((training.epochs or 0) * per_epoch))


def accumulating(recipe: Recipe, devices: int) -> Recipe:
    """The recipe with `clips_per_step` told as batches to accumulate on so many devices.

    Raises:
        SoundviewsError: they do not come to that many clips.
    """
    training = recipe.training
    if training.clips_per_step is None:
        return recipe
    together = training.batch_size * devices
    accumulate, rest = divmod(training.clips_per_step, together)
    if rest or not accumulate:
        raise SoundviewsError(
            f"training.clips_per_step is {training.clips_per_step}, and no whole number of times the {together} that "
            "all devices take at once (training.batch_size on each): set another, or training.clips_per_step=null"
        )
    update = {"clips_per_step": None, "accumulate": accumulate}
    return recipe.model_copy(update={"training": training.model_copy(update=update)})


def require_devices(devices: int) -> None:
    if torch.cuda.is_available() and devices > torch.cuda.device_count():
        raise SoundviewsError(
            f"there are {torch.cuda.device_count()} GPUs, not {devices}: choose fewer {option('devices')}"
        )


def batches(run: Run, clips: int, steps: int, **options: Any) -> TrainingLoader:
    """This device's batches of `clips` clips from the last checkpoint on up to `steps`.

    Args:
        options: further ones of `training_loader`.
    """
    training, devices = run.recipe.training, run.settings.devices
    done = steps_done(run.directory)
    return training_loader(
        run.corpus,
        run.recipe.audio.sample_rate,
        clips,
        seed=training.seed,
        start_step=done * training.accumulate,
        steps=(steps - done) * training.accumulate,
        workers=run.settings.decoding_workers,
        rank=device_rank(devices),
        world_size=devices,
        strict=run.settings.strict,
        **options,
    )


@process_as_it_was()
def fit(
    run: Run,
    module: pl.LightningModule,
    loader: TrainingLoader,
    steps: int,
    callbacks: Sequence[pl.Callback],
    consent: Consent | None = None,
) -> None:
    """Train up to `steps` and leave `last.ckpt`, `metrics.csv` and `skipped.csv`.

    Args:
        loader: Of `batches`.
        callbacks: What is particular to this kind of run; they act before the checkpoint of their step is written.
        consent: Is asked whether a new run goes on that takes more than a day.

    Raises:
        SoundviewsError: it does not.
        KeyboardInterrupt: stopped by a signal, with everything up to the step at hand kept.
    """
    directory, done, last = run.directory, steps_done(run.directory), last_checkpoint(run.directory)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning's own use of a torch internal
    stop, shown = StopOnSignal(), ProgressBar(steps)
    forecast = Forecast(steps, shown, stop, consent)
    table = MetricsCsv(directory / "metrics.csv", done)
    table.start()
    trainer = _trainer(run, steps, [shown, forecast, stop, *callbacks], [table, _TensorBoard(directory, done)])
    if done < steps:
        trainer.fit(module, Unmeasured(loader), ckpt_path=last if done else None, weights_only=True)
        if not trainer.is_global_zero:
            sys.exit(0)  # further processes are there for the training alone
        write_skipped(directory, run.corpus, loader)
    forecast.require_consent()
    if stop.asked and trainer.global_step < steps:
        again = words(f"{run.command} --resume {directory}", "the same call again")
        stopped = interruption(stop.number)
        stopped.add_note(f"stopped at step {trainer.global_step}; go on with: {again}")
        raise stopped


def _trainer(run: Run, steps: int, callbacks: list[pl.Callback], loggers: list[Any]) -> pl.Trainer:
    training, devices = run.recipe.training, run.settings.devices
    return pl.Trainer(
        max_steps=steps,
        max_epochs=-1,
        accelerator="auto",
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        precision=training.precision,
        gradient_clip_val=training.gradient_clip,
        accumulate_grad_batches=training.accumulate,
        callbacks=[
            *callbacks,
            Checkpoints(
                last_checkpoint(run.directory).parent, training.checkpoint_steps, training.keep_every, loggers[0]
            ),
        ],
        logger=loggers,
        log_every_n_steps=max(1, min(50, steps // 20)),
        plugins=[AtomicIO(run.command)],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
    )


class _TensorBoard(TensorBoardLogger):
    def __init__(self, directory: Path, done: int) -> None:
        super().__init__(directory, name="", version="", purge_step=done)

    def save(self) -> None:
        """Without the empty hparams.yaml: the run has its recipe."""


class Unmeasured:
    """A loader without a length: Lightning counts the batches before a resumed run's start as if this had them."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __iter__(self) -> Iterator[Any]:
        return iter(self.loader)
