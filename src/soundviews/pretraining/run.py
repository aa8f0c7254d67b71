"""A run: from a recipe and a corpus to a directory that holds everything the training left behind."""

import csv
import json
import logging
import os
import platform
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
import yaml
from lightning.pytorch.loggers import TensorBoardLogger

from soundviews import __version__
from soundviews.audio.corpus import Corpus, open_corpus
from soundviews.audio.loader import training_loader
from soundviews.bundle_config import Statistics
from soundviews.errors import SoundviewsError
from soundviews.recipe import Recipe, check, read_page

from .checkpoints import AtomicIO, Checkpoints, ensure_room
from .export import export
from .log import MetricsCsv
from .module import Pretraining
from .periodic import PeriodicEvaluation, judging_task
from .progress import ProgressBar, StopOnSignal
from .statistics import corpus_statistics


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
) -> Path:
    """Start a run.

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

    Returns:
        The run directory, with `bundle/` once the training is complete.
    """
    if _rank(devices) > 0:  # the first process has made the run by now
        return resume(directory)
    if torch.cuda.is_available() and devices > torch.cuda.device_count():
        raise SoundviewsError(f"there are {torch.cuda.device_count()} GPUs, not {devices}: choose fewer --devices")
    if directory.exists() and any(directory.iterdir()):
        raise SoundviewsError(
            f"{directory} is not empty: choose another --out, or go on with: soundviews pretrain --resume {directory}"
        )
    settings = {
        "data": data,
        "evaluation_data": evaluation_data,
        "workers": workers,
        "devices": devices,
        "strict": strict,
        "folds": folds,
        "splits": splits,
        "evaluation_folds": evaluation_folds,
    }
    corpus = _open(recipe, settings)
    judging_task(recipe, settings)  # a wrong corpus fails now, not after the first thousand steps
    module = Pretraining(recipe, 1, None)
    ensure_room(directory / "checkpoints", sum(p.numel() for p in module.parameters()))
    _write(directory / "recipe.yaml", yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))
    _write(directory / "environment.json", json.dumps(_environment(corpus) | {"settings": settings}, indent=2))
    return _train(recipe, corpus, directory, settings)


def resume(directory: Path) -> Path:
    """Go on with a run where its last checkpoint left it; the result is that of an uninterrupted run.

    Raises:
        SoundviewsError: no run there, or its corpus is no longer the same.
    """
    try:
        recipe = check(read_page(directory / "recipe.yaml"))
        environment = json.loads((directory / "environment.json").read_text())
        settings = environment["settings"]
    except (OSError, ValueError, KeyError, SoundviewsError) as error:
        raise SoundviewsError(f"{directory} is no run that can be resumed: {error}") from error
    corpus = _open(recipe, settings)
    if corpus.fingerprint != environment["corpus"]["fingerprint"]:
        raise SoundviewsError(f"the corpus {settings['data']} has changed since the run started: start a new one")
    return _train(recipe, corpus, directory, settings)


def _open(recipe: Recipe, settings: dict[str, Any]) -> Corpus:
    data, size = settings["data"], recipe.training.batch_size * settings["devices"]
    corpus = open_corpus(data, strict=settings["strict"])
    if settings["folds"] or settings["splits"]:
        corpus = corpus.where(folds=settings["folds"], split=settings["splits"])
    corpus = corpus.cut(recipe.audio.clip_seconds)
    if len(corpus) < size:
        raise SoundviewsError(
            f"{data} has {len(corpus)} clips, fewer than one batch of {size} (training.batch_size on each device): "
            f"every clip needs others to differ from. Add recordings, or set training.batch_size (at least 2)"
        )
    return corpus


def _train(recipe: Recipe, corpus: Corpus, directory: Path, settings: dict[str, Any]) -> Path:
    training, last = recipe.training, directory / "checkpoints" / "last.ckpt"
    per_epoch = len(corpus) // (training.batch_size * settings["devices"] * training.accumulate)
    steps = training.steps or max(1, round((training.epochs or 0) * per_epoch))
    done = _steps_done(last)
    workers = max(1, (os.cpu_count() or 2) // 2) if settings["workers"] is None else settings["workers"]
    module = Pretraining(recipe, steps, _statistics(recipe, corpus, directory, workers, settings["strict"]))
    loader = training_loader(
        corpus,
        recipe.audio.sample_rate,
        training.batch_size,
        seed=training.seed,
        start_step=done * training.accumulate,
        steps=(steps - done) * training.accumulate,
        workers=workers,
        backgrounds=module.views.backgrounds,
        rank=_rank(settings["devices"]),
        world_size=settings["devices"],
        strict=settings["strict"],
    )
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning's own use of a torch internal
    stop = StopOnSignal()
    callbacks: list[pl.Callback] = [ProgressBar(steps), stop]
    if recipe.evaluation is not None and (task := judging_task(recipe, settings)) is not None:
        callbacks.append(PeriodicEvaluation(recipe.evaluation, task, last.parent))
    callbacks.append(Checkpoints(last.parent, training.checkpoint_steps, training.keep_every))
    table = MetricsCsv(directory / "metrics.csv", done)
    table.start()
    trainer = pl.Trainer(
        max_steps=steps,
        max_epochs=-1,
        accelerator="auto",
        devices=settings["devices"],
        strategy="ddp" if settings["devices"] > 1 else "auto",
        precision=training.precision,
        gradient_clip_val=training.gradient_clip,
        accumulate_grad_batches=training.accumulate,
        callbacks=callbacks,
        logger=[table, _TensorBoard(directory, name="", version="", purge_step=done)],
        log_every_n_steps=max(1, min(50, steps // 20)),
        plugins=[AtomicIO()],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
    )
    if done < steps:
        trainer.fit(module, Unmeasured(loader), ckpt_path=last if done else None, weights_only=True)
        if not trainer.is_global_zero:
            sys.exit(0)  # further processes are there for the training alone
        _write_skipped(directory, corpus, loader)
    if stop.asked and trainer.global_step < steps:
        print(
            f"stopped at step {trainer.global_step}; go on with: soundviews pretrain --resume {directory}",
            file=sys.stderr,
        )
        raise KeyboardInterrupt
    _finish(recipe, module, directory, last)
    return directory


def _rank(devices: int) -> int:
    """This process's number among those of a run on several devices, as Lightning tells those it starts."""
    return int(os.environ.get("LOCAL_RANK", 0)) if devices > 1 else 0


class _TensorBoard(TensorBoardLogger):
    def save(self) -> None:
        """Without the empty hparams.yaml: the run has its recipe."""


class Unmeasured:
    """A loader without a length: Lightning counts the batches before a resumed run's start as if this had them."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __iter__(self) -> Iterator[Any]:
        return iter(self.loader)


def _finish(recipe: Recipe, module: Pretraining, directory: Path, last: Path) -> None:
    chosen = last
    if recipe.evaluation is not None and recipe.evaluation.keep == "best" and last.with_name("best.ckpt").is_file():
        chosen = last.with_name("best.ckpt")
    state = torch.load(chosen, map_location="cpu", weights_only=True)["state_dict"]
    module.cpu().load_state_dict(state)
    export(module, directory / "bundle")


def _steps_done(last: Path) -> int:
    if not last.is_file():
        return 0
    return int(torch.load(last, map_location="cpu", weights_only=True, mmap=True)["global_step"])


def _statistics(recipe: Recipe, corpus: Corpus, directory: Path, workers: int, strict: bool) -> Statistics | None:
    if recipe.statistics != "corpus":
        return recipe.statistics
    kept = directory / "statistics.json"
    if not kept.is_file():
        _write(kept, corpus_statistics(recipe, corpus, workers, strict).model_dump_json())
    return Statistics.model_validate_json(kept.read_text())


def _write(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".tmp")
    beside.write_text(text)
    os.replace(beside, path)


def _write_skipped(directory: Path, corpus: Corpus, loader: Any) -> None:
    rows = sorted({(s.path, s.reason) for s in (*corpus.skipped, *loader.dataset.skipped())})
    if not rows:
        return
    with open(directory / "skipped.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "reason"])
        writer.writerows(rows)
    print(
        f"{len(rows)} recordings could not be used; they are named in {directory / 'skipped.csv'}",
        file=sys.stderr,
    )


def _environment(corpus: Corpus) -> dict[str, Any]:
    return {
        "soundviews": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "lightning": pl.__version__,
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "command": sys.argv[1:],
        "corpus": {"clips": len(corpus), "fingerprint": corpus.fingerprint, "skipped": len(corpus.skipped)},
    }
