"""What a run was asked for beside its recipe, and where it was made: `environment.json`."""

import json
import os
import platform
import sys
from pathlib import Path

import lightning.pytorch as pl
import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.core.files import write_text_whole
from soundviews.core.newer import newer_version, upgrade
from soundviews.core.version import __version__
from soundviews.datasets.opening import Data, open_corpus
from soundviews.recipes.schema import explain

TRAINING_CORPUS, JUDGING_CORPUS = "corpus.arrow", "evaluation_corpus.arrow"


class RunSettings(BaseModel):
    """Where a run's clips come from and what it computes with.

    data, evaluation_data: as `open_corpus` takes them, or the file in the run that holds a corpus made in Python.
    folds, splits, evaluation_folds, evaluation_splits: parts of them; None for all.
    separator, channels: a run of `soundviews separate train`, and where `soundviews prepare` kept its channels.
    processors: digest of each processor, by name.
    workers: decoding processes; None for half of the cores.
    devices: GPUs, or processes where there is none.
    strict: whether the first unreadable recording stops the run.
    """

    model_config = ConfigDict(extra="forbid")

    data: str | list[str]
    evaluation_data: str | list[str] | None = None
    folds: list[int] | None = None
    splits: list[str] | None = None
    evaluation_folds: list[int] | None = None
    evaluation_splits: list[str] | None = None
    separator: str | None = None
    channels: str | None = None
    processors: dict[str, str] = {}
    workers: int | None = None
    devices: int = 1
    strict: bool = False

    @property
    def decoding_workers(self) -> int:
        return max(1, (os.cpu_count() or 2) // 2) if self.workers is None else self.workers


class CorpusFacts(BaseModel):
    """What is remembered of the clips that a run learns from."""

    clips: int
    fingerprint: str
    skipped: int


class Environment(BaseModel):
    """All of `environment.json`."""

    soundviews: str = __version__
    python: str = platform.python_version()
    torch: str = torch.__version__
    lightning: str = pl.__version__
    platform: str = platform.platform()
    cores: int | None = os.cpu_count()
    threads: int | None = None
    gpu: str | None = None
    command: list[str] = []
    corpus: CorpusFacts
    settings: RunSettings

    @classmethod
    def of(cls, corpus: Corpus, settings: RunSettings) -> "Environment":
        """This machine and program, for a run on these clips."""
        return cls(
            gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            threads=torch.get_num_threads(),
            command=sys.argv[1:],
            corpus=CorpusFacts(clips=len(corpus), fingerprint=corpus.fingerprint, skipped=len(corpus.skipped)),
            settings=settings,
        )

    def write(self, directory: Path) -> None:
        write_text_whole(directory / "environment.json", self.model_dump_json(indent=2))

    @classmethod
    def read(cls, directory: Path) -> "Environment":
        """What `write` wrote.

        Raises:
            SoundviewsError: it is not there, says something else, or a later version, which may compute otherwise, has
            begun the run.
        """
        try:
            page = json.loads((directory / "environment.json").read_text(encoding="utf-8"))
            if isinstance(page, dict) and (version := newer_version(page.get("soundviews"))):
                raise SoundviewsError(f"the run {directory} was {upgrade(version)}")
            return cls.model_validate(page)
        except ValidationError as error:
            raise SoundviewsError(f"{_not_resumed(directory)}: {explain(error, cls)}") from error
        except (OSError, ValueError, RecursionError) as error:
            raise SoundviewsError(f"{_not_resumed(directory)}: {error}") from error


def _not_resumed(directory: Path) -> str:
    return f"{directory} is no run that can be resumed: environment.json"


def name_data(data: Data, saved: str) -> str | list[str]:
    """How a run's settings name a corpus: as it was named, or `saved` for one that was made in Python."""
    if isinstance(data, str | Path):
        return str(data)
    if isinstance(data, Corpus) or any(isinstance(part, Corpus) for part in data):
        return saved
    return [str(part) for part in data]


def open_data(named: str | list[str], directory: Path, strict: bool = False) -> Corpus:
    """The corpus that `name_data` named, of the run in `directory`."""
    if named in (TRAINING_CORPUS, JUDGING_CORPUS):
        return Corpus.load(directory / str(named))
    return open_corpus(named, strict=strict)


def save_data(data: Data, named: str | list[str], directory: Path) -> None:
    """Keep a corpus that was made in Python in its run, so that the run can be resumed from anywhere."""
    if named in (TRAINING_CORPUS, JUDGING_CORPUS):
        corpus = open_corpus(data)
        Corpus(Path(corpus.root).absolute(), corpus.table, corpus.vocabulary, corpus.skipped).save(
            directory / str(named)
        )
