"""A run's directory: what every training writes there before and after its steps, and reads to go on."""

import csv
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import yaml
from pydantic import BaseModel

from soundviews.audio.corpus import Corpus
from soundviews.core.durations import said_duration
from soundviews.core.errors import SoundviewsError, option, words
from soundviews.core.files import is_temporary, write_text_whole
from soundviews.core.locks import INSIDE, locked
from soundviews.datasets.opening import Data, open_corpus
from soundviews.recipes.reading import read_page

from .checkpoints import ensure_room
from .process import device_rank
from .settings import JUDGING_CORPUS, TRAINING_CORPUS, Environment, RunSettings, save_data

logger = logging.getLogger(__name__)

KINDS = {
    "encoder": ("an encoder", "soundviews pretrain", "soundviews.pretrain"),
    "separator": ("a separator", "soundviews separate train", "soundviews.train_separator"),
}


def is_run(directory: Path) -> bool:
    """Whether a training has begun there."""
    return (directory / "recipe.yaml").is_file() and (directory / "environment.json").is_file()


@contextmanager
def written_by_one(directory: Path, devices: int, wait: bool) -> Iterator[None]:
    """The run's directory is written by no other process, but for those of this run's further devices.

    Raises:
        SoundviewsError: it is, and this one does not `wait`.
    """
    if device_rank(devices) > 0:
        yield
    else:
        with locked(directory, inside=True, wait=wait):
            yield


def require_empty(directory: Path) -> None:
    """Refuse a directory that holds something else than a run, or a run that was killed while it began.

    Of that one, nothing stays: `recipe.yaml`, which makes a run, is written last.
    """
    if directory.exists() and not directory.is_dir():
        raise SoundviewsError(f"{directory} is a file: {option('out')} is a directory to make")
    names = {path.name for path in directory.iterdir()} if directory.is_dir() else set()
    begun = [name for name in names if name != INSIDE and is_temporary(name)]
    if "environment.json" in names and "recipe.yaml" not in names and _is_environment(directory):
        begun += names & {"environment.json", TRAINING_CORPUS, JUDGING_CORPUS}
    checkpoints = directory / "checkpoints"
    nothing_kept = {"checkpoints"} if checkpoints.is_dir() and not any(checkpoints.glob("*.ckpt")) else set()
    if names - {INSIDE} - nothing_kept - set(begun):
        raise SoundviewsError(f"{directory} is not empty and holds no run: choose another directory")
    for name in begun:
        (directory / name).unlink()


def _is_environment(directory: Path) -> bool:
    try:
        Environment.read(directory)
    except SoundviewsError:
        return False
    return True


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
    if not clips.on_disk:
        return "sounds are synthesised while it learns"
    start, end = clips.column("start"), np.fmin(clips.column("end"), clips.column("duration"))
    recordings = pc.count_distinct(clips.table["path"]).as_py()
    return (
        f"{recordings:,} recordings, {said_duration(float((end - start).sum()))}: {len(clips):,} clips of up to "
        f"{clip_seconds:g} s"
    )


def begin(
    directory: Path,
    recipe: BaseModel,
    corpus: Corpus,
    settings: RunSettings,
    parameters: int,
    data: Data,
    evaluation_data: Data | None = None,
) -> None:
    """Write what makes a run, or fail while nothing is lost.

    Args:
        parameters: How many numbers the networks hold.
        data, evaluation_data: What the settings name; what was made in Python is kept.
    """
    ensure_room(directory / "checkpoints", parameters)
    Environment.of(corpus, settings).write(directory)
    save_data(data, settings.data, directory)
    if evaluation_data is not None and settings.evaluation_data is not None:
        save_data(evaluation_data, settings.evaluation_data, directory)
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
    if not page.keys() & KINDS.keys():
        raise SoundviewsError(f"{directory} is no run that can be resumed: recipe.yaml says nothing of what it trains")
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
