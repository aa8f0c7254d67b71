"""A run: from a recipe and a corpus to a directory that holds everything the training left behind."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import lightning.pytorch as pl
import torch

from soundviews.audio.corpus import Corpus
from soundviews.core.devices import chosen_device
from soundviews.core.errors import SoundviewsError
from soundviews.core.files import write_text_whole
from soundviews.datasets.opening import Data
from soundviews.recipes.building import Parts, build
from soundviews.recipes.loading import check
from soundviews.recipes.schema import Recipe, Statistics
from soundviews.scenes.endless_corpus import EndlessCorpus
from soundviews.separation.processor import Processor

from .channels import draw_of, prepared_source, processors_of
from .check import ChecksOnTheWay, HalvesCheck, hold_out
from .checkpoints import is_whole, settle_checkpoints
from .directory import begin, is_run, open_clips, read_run, require_empty, written_by_one
from .endless import endless_batches
from .export import export, model_of
from .fit import Run, accumulating, batches, count_steps, fit, last_checkpoint, require_devices, steps_done
from .forecast import Consent, removed_if_declined
from .going_on import (
    require_same_corpus,
    require_same_evaluation,
    require_same_recipe,
    require_same_settings,
    warn_of_other_threads,
)
from .module import Pretraining
from .periodic import PeriodicEvaluation, judging_task, require_judgement
from .process import device_rank
from .settings import JUDGING_CORPUS, TRAINING_CORPUS, RunSettings, name_data, open_data
from .statistics import corpus_statistics, is_kept, kept_statistics, statistics_file

COMMAND = "soundviews pretrain"

logger = logging.getLogger(__name__)


def pretrain(
    recipe: Recipe,
    data: Data,
    directory: Path,
    *,
    evaluation_data: Data | None = None,
    workers: int | None = None,
    devices: int = 1,
    strict: bool = False,
    folds: Sequence[int] | None = None,
    splits: Sequence[str] | None = None,
    evaluation_folds: Sequence[int] | None = None,
    evaluation_splits: Sequence[str] | None = None,
    separator: str | Path | None = None,
    channels: str | Path | None = None,
    consent: Consent | None = None,
    wait: bool = False,
) -> Path:
    """Start a run, or go on with the one that is there; returns its directory, with `bundle/` once it is complete.

    Args:
        recipe: What to do.
        data: The corpus to learn from, in any form that `open_corpus` reads; labels are ignored.
        directory: The run directory: new, empty, or a run of the same recipe on the same clips.
        evaluation_data: Labelled corpus for the recipe's periodic evaluation; None leaves it out.
        workers: Decoding processes; None takes half of the cores.
        devices: GPUs, or processes where there is none. Each takes batches of `training.batch_size` clips of its own;
            Lightning starts this very program again for every further one.
        strict: Stop at the first recording that cannot be read instead of leaving it out.
        folds, splits: Learn from these parts of the corpus only; None takes all of it.
        evaluation_folds, evaluation_splits: Judge on these folds, or splits, only.
        separator: A run of `soundviews separate train`, whose processors the recipe's views name.
        channels: Where `soundviews prepare` kept their channels; None separates on the fly.
        consent: Is asked, with what it takes, whether a new run goes on that takes more than a day; None warns.
        wait: Wait for another process that is writing the directory.

    Raises:
        SoundviewsError: what the recipe says cannot be, something is missing, another run is there, or another process
            is at it.
        KeyboardInterrupt: stopped by a signal; the same call goes on.
    """
    if device_rank(devices) > 0:  # the first process has made the run by now
        return resume(directory)
    require_devices(devices)
    recipe = accumulating(recipe, devices)
    settings = RunSettings(
        data=name_data(data, TRAINING_CORPUS),
        evaluation_data=None if evaluation_data is None else name_data(evaluation_data, JUDGING_CORPUS),
        folds=None if folds is None else list(folds),
        splits=None if splits is None else list(splits),
        evaluation_folds=None if evaluation_folds is None else list(evaluation_folds),
        evaluation_splits=None if evaluation_splits is None else list(evaluation_splits),
        separator=None if separator is None else str(separator),
        channels=None if channels is None else str(channels),
        workers=workers,
        devices=devices,
        strict=strict,
    )
    with written_by_one(directory, devices, wait):
        if is_run(directory):
            return _go_on(recipe, data, evaluation_data, directory, settings)
        require_empty(directory)
        ready = _begin(recipe, data, evaluation_data, directory, settings)
        with removed_if_declined(directory):
            return _train(ready, consent)


def resume(directory: Path, wait: bool = False) -> Path:
    """Go on with a run where its last checkpoint left it; the result is that of an uninterrupted run.

    Args:
        wait: Wait for another process that is writing the directory.

    Raises:
        SoundviewsError: no run there, its corpus is no longer the same, or another process is at it.
    """
    page, environment = read_run(directory, COMMAND)
    recipe, settings = check(page), environment.settings
    with written_by_one(directory, settings.devices, wait):
        ready = _prepare(recipe, open_data(settings.data, directory, settings.strict), directory, settings)
        require_same_corpus(ready.run.corpus, directory, environment, settings)
        warn_of_other_threads(directory, environment)
        return _train(ready)


class _Ready(NamedTuple):
    """A run and what it computes with, built once. held_out: the recordings that it does not learn from."""

    run: Run
    recipe: Recipe
    parts: Parts
    processors: list[Processor]
    held_out: Corpus


def _go_on(recipe: Recipe, data: Data, evaluation_data: Data | None, directory: Path, settings: RunSettings) -> Path:
    """Go on with the run that is there, if it is the one that is asked for."""
    page, environment = read_run(directory, COMMAND)
    require_same_recipe(directory, check(page), recipe)
    require_same_settings(directory, environment.settings, settings)
    require_same_evaluation(directory, settings, evaluation_data)
    settings.processors = environment.settings.processors
    ready = _prepare(recipe, data, directory, settings)
    require_same_corpus(ready.run.corpus, directory, environment, settings)
    warn_of_other_threads(directory, environment)
    return _train(ready)


def _begin(recipe: Recipe, data: Data, evaluation_data: Data | None, directory: Path, settings: RunSettings) -> _Ready:
    """Write what a new run is, once all that it needs is known to be there."""
    ready = _prepare(recipe, data, directory, settings)
    settings.processors = _digests(ready.processors)
    judging_task(recipe, settings, evaluation_data)  # a wrong corpus fails now, not after the first thousand steps
    networks = (ready.parts.encoder, ready.parts.objectives)
    parameters = sum(p.numel() for part in networks for p in part.parameters())
    begin(directory, recipe, ready.run.corpus, settings, parameters, data, evaluation_data)
    return ready


def _prepare(recipe: Recipe, data: Data, directory: Path, settings: RunSettings) -> _Ready:
    """Build the recipe and read what it needs from disk: what is missing fails now, not at the first batch."""
    require_judgement(recipe)
    parts = build(recipe)
    processors = processors_of(recipe, parts.views, settings.separator, settings.channels)
    if settings.processors and settings.processors != _digests(processors):
        raise SoundviewsError(f"the processors of {settings.separator} have changed since the run started")
    skipped = parts.views.load()
    if skipped and device_rank(settings.devices) == 0:
        first = skipped[0]
        logger.warning("%d left out of what the views read, first %s: %s", len(skipped), first.path, first.reason)
    needed = recipe.training.batch_size * settings.devices
    corpus = open_clips(data, settings, recipe.audio.clip_seconds, needed)
    corpus, held_out = hold_out(corpus, recipe.training.held_out, recipe.training.seed, needed)
    if processors and settings.channels:
        prepared_source(settings.channels, corpus, processors, draw_of(recipe, parts))
    return _Ready(Run(directory, recipe, corpus, settings, COMMAND), recipe, parts, processors, held_out)


def _train(ready: _Ready, consent: Consent | None = None) -> Path:
    (directory, _, corpus, settings, _), recipe, parts, processors, held_out = ready
    training, bundle = recipe.training, directory / "bundle"
    steps = count_steps(recipe, len(corpus), settings)
    if device_rank(settings.devices) == 0:
        settle_checkpoints(directory)
    if steps_done(directory) == steps and bundle.is_dir():
        return directory
    module = Pretraining(recipe, parts, steps, _statistics(ready), processors)
    channels = prepared_source(settings.channels, corpus, processors, module.draw) if settings.channels else None
    if isinstance(corpus, EndlessCorpus):
        loader = endless_batches(ready.run, corpus, parts, steps)
    else:
        loader = batches(ready.run, training.batch_size, steps, backgrounds=parts.views.backgrounds, channels=channels)
    callbacks: list[pl.Callback] = []
    evaluation_data = settings.evaluation_data
    if recipe.evaluation is not None and evaluation_data is not None:
        task = judging_task(recipe, settings, open_data(evaluation_data, directory))
        assert task is not None
        callbacks.append(PeriodicEvaluation(recipe.evaluation, task, directory / "checkpoints"))
    check = HalvesCheck(recipe, parts.log_mel, corpus, held_out, steps)
    if check.at:
        callbacks.append(ChecksOnTheWay(check))
    fit(ready.run, module, loader, steps, callbacks, consent)
    _finish(recipe, module, directory, check)
    return directory


def _digests(processors: list[Processor]) -> dict[str, str]:
    return {processor.name: processor.digest for processor in processors}


def _finish(recipe: Recipe, module: Pretraining, directory: Path, check: HalvesCheck) -> None:
    chosen = last = last_checkpoint(directory)
    if recipe.evaluation is not None and recipe.evaluation.keep == "best" and last.with_name("best.ckpt").is_file():
        chosen = last.with_name("best.ckpt")
    if not is_whole(chosen):
        raise SoundviewsError(f"{chosen} is damaged: delete it, and the same call ends without it")
    checkpoint = torch.load(chosen, map_location="cpu", weights_only=True)
    module.cpu().load_state_dict(checkpoint["state_dict"])
    if check.clips is None:
        logger.info("too few recordings are long enough to check whether the encoder finds their other halves")
    else:
        answer = check(model_of(module).to(chosen_device("auto")), checkpoint["global_step"])
        answer.write(directory)
        logger.log(logging.WARNING if answer.collapse else logging.INFO, "the encoder %s", answer.sentence)
    export(module.cpu(), directory / "bundle")


def _statistics(ready: _Ready) -> Statistics | None:
    run, recipe = ready.run, ready.recipe
    kept = statistics_file(run.directory)
    if recipe.statistics == "corpus" and not is_kept(kept):
        workers, strict = run.settings.decoding_workers, run.settings.strict
        write_text_whole(kept, corpus_statistics(recipe, ready.parts, run.corpus, workers, strict).model_dump_json())
    return kept_statistics(recipe, run.directory)
