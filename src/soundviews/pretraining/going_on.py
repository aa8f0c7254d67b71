"""Whether a call that names a run means that very run: the same recipe, clips and evaluation."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import Data, open_corpus

from .process import device_rank
from .settings import JUDGING_CORPUS, Environment, RunSettings, open_data

SHOWN = 3  # differences
WORDS = ("name", "about")  # of a recipe: they change nothing

logger = logging.getLogger(__name__)


def require_same_recipe(directory: Path, kept: BaseModel, asked: BaseModel) -> None:
    """Refuse to go on with a run of another recipe, and name what differs."""
    before, now = _flat(kept.model_dump(mode="json")), _flat(asked.model_dump(mode="json"))
    differing = [key for key in before | now if key not in WORDS and before.get(key) != now.get(key)]
    if differing:
        named = [f"{key} is {before.get(key)!r} there and {now.get(key)!r} here" for key in differing[:SHOWN]]
        more = [f"{len(differing) - SHOWN} more differ"] if len(differing) > SHOWN else []
        raise SoundviewsError(
            f"{directory} holds a run of another recipe: {'; '.join(named + more)}. Choose another directory for a new "
            "run, or ask for what that one has"
        )


def require_same_settings(directory: Path, kept: RunSettings, asked: RunSettings) -> None:
    """Refuse to go on with other devices or another evaluation; other workers and the like change no result."""
    for key in ("devices", "evaluation_data", "evaluation_folds", "evaluation_splits"):
        before, now = getattr(kept, key), getattr(asked, key)
        if before != now:
            raise SoundviewsError(
                f"{directory} holds a run with {key} {before!r}, not {now!r}: choose another directory for a new run"
            )


def require_same_corpus(corpus: Corpus, directory: Path, environment: Environment, asked: RunSettings) -> None:
    """Refuse clips that are not those that the run began with."""
    if corpus.is_known_as(environment.corpus.fingerprint):
        return
    kept = environment.settings
    for key in ("data", "folds", "splits"):
        before, now = getattr(kept, key), getattr(asked, key)
        if before != now:
            raise SoundviewsError(
                f"{directory} holds a run on other clips: {key} is {before!r} there and {now!r} here. Choose another "
                "directory for a new run"
            )
    raise SoundviewsError(f"the corpus {kept.data} has changed since the run started: start a new one")


def warn_of_other_threads(directory: Path, environment: Environment) -> None:
    """Say where a run on a CPU goes on with another number of threads, which round otherwise."""
    before, now = environment.threads, torch.get_num_threads()
    if before in (None, now) or environment.gpu is not None or device_rank(environment.settings.devices) > 0:
        return
    logger.warning(
        "%s began with %d threads and goes on with %d: its weights will not be, to the last digit, those of a run "
        "that was not interrupted; OMP_NUM_THREADS=%d keeps to them",
        directory,
        before,
        now,
        before,
    )


def require_same_evaluation(directory: Path, asked: RunSettings, data: Data | None) -> None:
    """Refuse an evaluation corpus made in Python that is not the one in the run."""
    if data is None or asked.evaluation_data != JUDGING_CORPUS:
        return
    if open_corpus(data).fingerprint != open_data(JUDGING_CORPUS, directory).fingerprint:
        raise SoundviewsError(f"{directory} holds a run that is judged on other clips: choose another directory")


def _flat(page: Any, key: str = "") -> dict[str, Any]:
    """{"training.steps": 100, ...}; lists are compared whole."""
    if not isinstance(page, dict) or not page:
        return {key: page}
    return dict(_items(page, key))


def _items(page: dict[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    for name, value in page.items():
        yield from _flat(value, f"{key}.{name}" if key else str(name)).items()
