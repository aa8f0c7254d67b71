"""The run of a separator: from a recipe and a corpus to processors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from soundviews.audio.corpus import Corpus
from soundviews.core.component import component
from soundviews.core.version import __version__
from soundviews.datasets.opening import Data
from soundviews.recipes.loading import check_separator
from soundviews.recipes.separator import SeparatorRecipe
from soundviews.separation.processor import ProcessorConfig, save_processor

from .checkpoints import require_finite, settle_checkpoints
from .directory import begin, is_run, open_clips, read_run, require_empty, written_by_one
from .fit import Run, batches, fit, require_devices
from .forecast import Consent, removed_if_declined
from .going_on import require_same_corpus, require_same_recipe, require_same_settings, warn_of_other_threads
from .process import device_rank
from .separator_module import SeparatorTraining
from .settings import TRAINING_CORPUS, Environment, RunSettings, name_data, open_data

COMMAND = "soundviews separate train"


def train(
    recipe: SeparatorRecipe,
    data: Data,
    directory: Path,
    *,
    workers: int | None = None,
    devices: int = 1,
    strict: bool = False,
    folds: Sequence[int] | None = None,
    splits: Sequence[str] | None = None,
    consent: Consent | None = None,
    wait: bool = False,
) -> Path:
    """Start a run, or go on with the one that is there; arguments as for `soundviews.pretraining.run.pretrain`.

    Returns:
        The run directory, with one bundle for each processor in `processors/`.
    """
    if device_rank(devices) > 0:  # the first process has made the run by now
        return resume(directory)
    require_devices(devices)
    settings = RunSettings(
        data=name_data(data, TRAINING_CORPUS),
        folds=None if folds is None else list(folds),
        splits=None if splits is None else list(splits),
        workers=workers,
        devices=devices,
        strict=strict,
    )
    with written_by_one(directory, devices, wait):
        if is_run(directory):
            page, environment = read_run(directory, COMMAND)
            require_same_recipe(directory, check_separator(page), recipe)
            require_same_settings(directory, environment.settings, settings)
            corpus = _open(recipe, data, settings)
            return _go_on(recipe, corpus, directory, environment, settings)
        require_empty(directory)
        corpus = _open(recipe, data, settings)
        parameters = sum(p.numel() for p in SeparatorTraining(recipe, 1).parameters())
        begin(directory, recipe, corpus, settings, parameters, data)
        with removed_if_declined(directory):
            return _train(recipe, corpus, directory, settings, consent)


def resume(directory: Path, wait: bool = False) -> Path:
    """Go on with a run where its last checkpoint left it; the result is that of an uninterrupted run.

    Args:
        wait: Wait for another process that is writing the directory.

    Raises:
        SoundviewsError: no run there, its corpus is no longer the same, or another process is at it.
    """
    page, environment = read_run(directory, COMMAND)
    recipe, settings = check_separator(page), environment.settings
    with written_by_one(directory, settings.devices, wait):
        corpus = _open(recipe, open_data(settings.data, directory, settings.strict), settings)
        return _go_on(recipe, corpus, directory, environment, settings)


def _go_on(
    recipe: SeparatorRecipe, corpus: Corpus, directory: Path, environment: Environment, asked: RunSettings
) -> Path:
    require_same_corpus(corpus, directory, environment, asked)
    warn_of_other_threads(directory, environment)
    return _train(recipe, corpus, directory, asked)


def _open(recipe: SeparatorRecipe, data: Data, settings: RunSettings) -> Corpus:
    return open_clips(data, settings, recipe.audio.clip_seconds, 2 * recipe.training.batch_size * settings.devices)


def _train(
    recipe: SeparatorRecipe, corpus: Corpus, directory: Path, settings: RunSettings, consent: Consent | None = None
) -> Path:
    steps = recipe.training.steps
    assert steps is not None
    if device_rank(settings.devices) == 0:
        settle_checkpoints(directory)
    run = Run(directory, recipe, corpus, settings, COMMAND)
    loader = batches(run, 2 * recipe.training.batch_size, steps)
    keep = KeepProcessors(recipe, steps, directory / "processors")
    fit(run, SeparatorTraining(recipe, steps), loader, steps, [keep], consent)
    return directory


class KeepProcessors(pl.Callback):
    """Writes the separator as it is at the recipe's steps, each as a bundle."""

    def __init__(self, recipe: SeparatorRecipe, steps: int, directory: Path) -> None:
        self.recipe, self.directory = recipe, directory
        self.names = recipe.keep_at(steps)

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._keep(trainer, module)

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        if (index + 1) % trainer.accumulate_grad_batches == 0:
            self._keep(trainer, module)

    def _keep(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        assert isinstance(module, SeparatorTraining)
        step = trainer.global_step
        for name in self.names.get(step, []) if trainer.is_global_zero else []:
            require_finite(trainer)
            config = ProcessorConfig(
                name=name,
                step=step,
                sample_rate=self.recipe.audio.sample_rate,
                separator=component(self.recipe.separator),
                recipe=self.recipe.name,
                created_by=f"soundviews {__version__}",
            )
            save_processor(self.directory / name, config, module.network)
