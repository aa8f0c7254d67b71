"""A run's directory: what every training writes there before and after its steps, and reads to go on."""

import csv
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import yaml
from pydantic import BaseModel

from soundviews.audio.corpus import Corpus
from soundviews.core.durations import said_duration
from soundviews.core.errors import SoundviewsError, option, words
from soundviews.core.files import write_text_whole
from soundviews.datasets.opening import Data, open_corpus
from soundviews.recipes.reading import read_page

from .checkpoints import ensure_room
from .process import device_rank
from .settings import Environment, RunSettings

logger = logging.getLogger(__name__)

KINDS = {
    "encoder": ("an encoder", "soundviews pretrain", "soundviews.pretrain"),
    "separator": ("a separator", "soundviews separate train", "soundviews.train_separator"),
}


def is_run(directory: Path) -> bool:
    """Whether a training has begun there."""
    return (directory / "recipe.yaml").is_file() and (directory / "environment.json").is_file()


def require_empty(directory: Path) -> None:
    """Refuse a directory that holds something else than a run."""
    if directory.exists() and not directory.is_dir():
        raise SoundviewsError(f"{directory} is a file: {option('out')} is a directory to make")
    if directory.exists() and any(directory.iterdir()):
        raise SoundviewsError(f"{directory} is not empty and holds no run: choose another directory")


def open_clips(data: Data, settings: RunSettings, clip_seconds: float, needed: int) -> Corpus:
    """The clips to learn from.

    Args:
        data: What `settings` names.
        clip_seconds: Longer recordings become several clips.
        needed: The clips of one step over all devices.
    """
    corpus = open_corpus(data, strict=settings.strict)
    if settings.folds or settings.splits:
        corpus = corpus.where(folds=settings.folds, split=settings.splits)
    corpus = corpus.cut(clip_seconds)
    if device_rank(settings.devices) == 0:
        logger.info("%s", _said(corpus, clip_seconds))
    if len(corpus) < needed:
        raise SoundviewsError(
            f"{settings.data} has {len(corpus)} clips, fewer than the {needed} of one batch (training.batch_size "
            f"on each device): every clip needs others to differ from. Add recordings, or set a smaller "
            "training.batch_size"
        )
    return corpus


def _said(clips: Corpus, clip_seconds: float) -> str:
    """ "1,200 recordings, 1.7 hours: 1,200 clips of up to 30 s"."""
    start, end = clips.column("start"), np.fmin(clips.column("end"), clips.column("duration"))
    recordings = pc.count_distinct(clips.table["path"]).as_py()
    return (
        f"{recordings:,} recordings, {said_duration(float((end - start).sum()))}: {len(clips):,} clips of up to "
        f"{clip_seconds:g} s"
    )


def begin(directory: Path, recipe: BaseModel, corpus: Corpus, settings: RunSettings, parameters: int) -> None:
    """Write `environment.json` and `recipe.yaml`, or fail while nothing is lost."""
    ensure_room(directory / "checkpoints", parameters)
    Environment.of(corpus, settings).write(directory)
    write_text_whole(directory / "recipe.yaml", yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))


def read_run(directory: Path, command: str) -> tuple[dict[str, Any], Environment]:
    """The recipe's page and the environment of a run of `command`.

    Raises:
        SoundviewsError: there is no run, or one of another command.
    """
    try:
        page = read_page(directory / "recipe.yaml")
    except SoundviewsError as error:
        raise SoundviewsError(f"{directory} is no run that can be resumed: {error}") from error
    for word, (what, verb, function) in KINDS.items():
        if word in page and verb != command:
            instead = words(f"{verb} --resume {directory}", function)
            raise SoundviewsError(f"{directory} trains {what}: {instead}")
    return page, Environment.read(directory)


def write_skipped(directory: Path, corpus: Corpus, loader: Any) -> None:
    """Name what could not be read in `skipped.csv`."""
    rows = sorted({(s.path, s.reason) for s in (*corpus.skipped, *loader.dataset.skipped())})
    if not rows:
        return
    with open(directory / "skipped.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "reason"])
        writer.writerows(rows)
    logger.info("%d recordings could not be used; they are named in %s", len(rows), directory / "skipped.csv")
