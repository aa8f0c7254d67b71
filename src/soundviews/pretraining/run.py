"""A run: from a recipe and a corpus to a directory that holds everything the training left behind."""

import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.core.files import write_text_whole
from soundviews.recipes.building import build
from soundviews.recipes.loading import check
from soundviews.recipes.schema import Recipe, Statistics
from soundviews.separation.processor import Processor
from soundviews.views.pipeline import TwoViews

from .channels import prepared_source, processors_of
from .directory import begin, open_clips, read_run, require_empty, require_same
from .export import export
from .fit import Run, batches, decoding_workers, device_rank, fit, last_checkpoint, require_devices
from .module import Pretraining
from .periodic import PeriodicEvaluation, judging_task
from .statistics import corpus_statistics

COMMAND = "soundviews pretrain"


def pretrain(
    recipe: Recipe,
    data: str,
    directory: Path,
    *,
    evaluation_data: str | None = None,
    workers: int | None = None,
    devices: int = 1,
    strict: bool = False,
    folds: list[int] | None = None,
    splits: list[str] | None = None,
    evaluation_folds: list[int] | None = None,
    separator: str | None = None,
    channels: str | None = None,
) -> Path:
    """Start a run; returns its directory, with `bundle/` once the training is complete.

    Args:
        recipe: What to do.
        data: The corpus to learn from, in any form that `open_corpus` reads; labels are ignored.
        directory: The run directory; it must be new or empty.
        evaluation_data: Labelled corpus for the recipe's periodic evaluation; None leaves it out.
        workers: Decoding processes; None takes half of the cores.
        devices: GPUs, or processes where there is none. Each takes batches of `training.batch_size` clips of its own;
            Lightning starts this very program again for every further one.
        strict: Stop at the first recording that cannot be read instead of leaving it out.
        folds, splits: Learn from these parts of the corpus only; None takes all of it.
        evaluation_folds: Judge on these folds only.
        separator: A run of `soundviews separate train`, whose processors the recipe's views name.
        channels: Where `soundviews prepare` kept their channels; None separates on the fly.
    """
    if device_rank(devices) > 0:  # the first process has made the run by now
        return resume(directory)
    require_devices(devices)
    require_empty(directory, COMMAND)
    module = Pretraining(recipe, 1, None)
    processors = processors_of(recipe, module.views, separator, channels)
    settings: dict[str, Any] = {
        "data": data,
        "evaluation_data": evaluation_data,
        "workers": workers,
        "devices": devices,
        "strict": strict,
        "folds": folds,
        "splits": splits,
        "evaluation_folds": evaluation_folds,
        "separator": separator,
        "channels": channels,
        "processors": _digests(processors),
    }
    _load(module.views, settings)
    corpus = _open(recipe, settings)
    if processors and channels:  # what is not prepared fails now
        prepared_source(channels, corpus, processors, module.draw)
    judging_task(recipe, settings)  # a wrong corpus fails now, not after the first thousand steps
    begin(directory, recipe, corpus, settings, sum(p.numel() for p in module.parameters()))
    return _train(recipe, corpus, directory, settings)


def resume(directory: Path) -> Path:
    """Go on with a run where its last checkpoint left it; the result is that of an uninterrupted run.

    Raises:
        SoundviewsError: no run there, or its corpus is no longer the same.
    """
    page, environment = read_run(directory, COMMAND)
    recipe, settings = check(page), environment["settings"]
    _load(build(recipe, weights=False).views, settings)
    corpus = _open(recipe, settings)
    require_same(corpus, environment)
    return _train(recipe, corpus, directory, settings)


def _open(recipe: Recipe, settings: dict[str, Any]) -> Corpus:
    return open_clips(settings, recipe.audio.clip_seconds, recipe.training.batch_size * settings["devices"])


def _load(views: TwoViews, settings: dict[str, Any]) -> None:
    """Read what the views need from disk: what is missing fails now, not at the first batch."""
    skipped = views.load()
    if skipped and device_rank(settings["devices"]) == 0:
        first = skipped[0]
        print(f"{len(skipped)} left out of what the views read, first {first.path}: {first.reason}", file=sys.stderr)


def _train(recipe: Recipe, corpus: Corpus, directory: Path, settings: dict[str, Any]) -> Path:
    training = recipe.training
    per_epoch = len(corpus) // (training.batch_size * settings["devices"] * training.accumulate)
    steps = training.steps or max(1, round((training.epochs or 0) * per_epoch))
    processors = processors_of(recipe, build(recipe, weights=False).views, settings.get("separator"))
    digests = _digests(processors)
    if settings.get("processors", digests) != digests:
        raise SoundviewsError(f"the processors of {settings['separator']} have changed since the run started")
    statistics = _statistics(recipe, corpus, directory, decoding_workers(settings), settings["strict"])
    module = Pretraining(recipe, steps, statistics, processors)
    prepared = settings.get("channels") if processors else None
    run = Run(directory, recipe, corpus, settings, COMMAND)
    loader = batches(
        run,
        training.batch_size,
        steps,
        backgrounds=module.views.backgrounds,
        channels=prepared_source(prepared, corpus, processors, module.draw) if prepared else None,
    )
    callbacks: list[pl.Callback] = []
    if recipe.evaluation is not None and (task := judging_task(recipe, settings)) is not None:
        callbacks.append(PeriodicEvaluation(recipe.evaluation, task, directory / "checkpoints"))
    fit(run, module, loader, steps, callbacks)
    _finish(recipe, module, directory)
    return directory


def _digests(processors: list[Processor]) -> dict[str, str]:
    return {processor.name: processor.digest for processor in processors}


def _finish(recipe: Recipe, module: Pretraining, directory: Path) -> None:
    chosen = last = last_checkpoint(directory)
    if recipe.evaluation is not None and recipe.evaluation.keep == "best" and last.with_name("best.ckpt").is_file():
        chosen = last.with_name("best.ckpt")
    state = torch.load(chosen, map_location="cpu", weights_only=True)["state_dict"]
    module.cpu().load_state_dict(state)
    export(module, directory / "bundle")


def _statistics(recipe: Recipe, corpus: Corpus, directory: Path, workers: int, strict: bool) -> Statistics | None:
    if recipe.statistics != "corpus":
        return recipe.statistics
    kept = directory / "statistics.json"
    if not kept.is_file():
        write_text_whole(kept, corpus_statistics(recipe, corpus, workers, strict).model_dump_json())
    return Statistics.model_validate_json(kept.read_text())
