"""A run's directory: what every training writes there before and after its steps, and reads to go on."""

import csv
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
import yaml
from pydantic import BaseModel

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.core.files import write_text_whole
from soundviews.core.version import __version__
from soundviews.datasets.opening import open_corpus
from soundviews.recipes.reading import read_page

from .checkpoints import ensure_room

KINDS = {"encoder": ("an encoder", "soundviews pretrain"), "separator": ("a separator", "soundviews separate train")}


def require_empty(directory: Path, command: str) -> None:
    """Refuse a directory that holds something, and say how to go on with a run that is there."""
    if directory.exists() and any(directory.iterdir()):
        raise SoundviewsError(
            f"{directory} is not empty: choose another --out, or go on with: {command} --resume {directory}"
        )


def open_clips(settings: dict[str, Any], clip_seconds: float, needed: int) -> Corpus:
    """The clips to learn from.

    Args:
        settings: `data`, `folds`, `splits` and `strict` of the run.
        clip_seconds: Longer recordings become several clips.
        needed: The clips of one step over all devices.
    """
    data = settings["data"]
    corpus = open_corpus(data, strict=settings["strict"])
    if settings["folds"] or settings["splits"]:
        corpus = corpus.where(folds=settings["folds"], split=settings["splits"])
    corpus = corpus.cut(clip_seconds)
    if len(corpus) < needed:
        raise SoundviewsError(
            f"{data} has {len(corpus)} clips, fewer than the {needed} of one batch (training.batch_size on each "
            f"device): every clip needs others to differ from. Add recordings, or set a smaller training.batch_size"
        )
    return corpus


def begin(directory: Path, recipe: BaseModel, corpus: Corpus, settings: dict[str, Any], parameters: int) -> None:
    """Write `recipe.yaml` and `environment.json`, or fail while nothing is lost."""
    ensure_room(directory / "checkpoints", parameters)
    write_text_whole(directory / "recipe.yaml", yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))
    write_text_whole(
        directory / "environment.json", json.dumps(_environment(corpus) | {"settings": settings}, indent=2)
    )


def read_run(directory: Path, command: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The recipe's page and the environment of a run of `command`.

    Raises:
        SoundviewsError: there is no run, or one of another command.
    """
    try:
        page = read_page(directory / "recipe.yaml")
        environment: dict[str, Any] = json.loads((directory / "environment.json").read_text())
        environment["settings"], environment["corpus"]["fingerprint"]
    except (OSError, ValueError, KeyError, SoundviewsError) as error:
        raise SoundviewsError(f"{directory} is no run that can be resumed: {error}") from error
    for word, (what, verb) in KINDS.items():
        if word in page and verb != command:
            raise SoundviewsError(f"{directory} trains {what}: {verb} --resume {directory}")
    return page, environment


def require_same(corpus: Corpus, environment: dict[str, Any]) -> None:
    """Refuse a corpus that is no longer what the run began with."""
    if corpus.fingerprint != environment["corpus"]["fingerprint"]:
        data = environment["settings"]["data"]
        raise SoundviewsError(f"the corpus {data} has changed since the run started: start a new one")


def write_skipped(directory: Path, corpus: Corpus, loader: Any) -> None:
    """Name what could not be read in `skipped.csv`."""
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
