"""What is asked for beside the table: which recordings, how long, how often; and whether the recordings are there."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError, option, words
from soundviews.core.registry import nearest
from soundviews.datasets.opening import open_corpus
from soundviews.evaluation.parts import fold_numbers
from soundviews.evaluation.requests import read_requests
from soundviews.evaluation.tasks import open_tasks
from soundviews.reproduction.page import PRETRAINING, ROOMS, VALIDATION, Column, Table
from soundviews.reproduction.scale import require_scale, said, scenes
from soundviews.scenes.folder import FOLDS

SCENES = "scenes"
HELD_OUT = 0.15  # of a stand-in's training clips, where a column has validation clips

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """How a table is to be made.

    data: recordings by role, as `soundviews.open_corpus` takes them by name.
    stand_in: what stands in for every role: "scenes" or a corpus of one's own; None: nothing does.
    scale: share of the steps; seeds: trainings of each recipe; overrides: changes of every encoder's recipe.
    separator: a run of `soundviews separate train` to take instead of training one.
    skip_missing: whether figures whose recordings are not given are left out.
    """

    data: Mapping[str, str] = field(default_factory=dict)
    stand_in: str | None = None
    scale: float = 1.0
    seeds: int = 1
    overrides: Mapping[str, Any] = field(default_factory=dict)
    separator: str | None = None
    skip_missing: bool = False
    workers: int | None = None

    def __post_init__(self) -> None:
        require_scale(self.scale)
        if self.seeds < 1:
            raise SoundviewsError(f"{option('seeds')} is at least 1, not {self.seeds}")
        if self.stand_in is not None and self.data:
            raise SoundviewsError(f"{option('stand_in')} stands in for all recordings: leave out {option('data')}")

    @property
    def comparable(self) -> bool:
        """Whether the figures are measured as the paper's were, as far as the page of the table can say."""
        return self.stand_in is None and self.scale == 1 and not self.overrides

    def warnings(self) -> list[str]:
        """What must stand on top of the page."""
        lines = []
        if self.stand_in is not None:
            what = "built-in sound scenes" if self.stand_in == SCENES else f"the recordings of {self.stand_in}"
            lines.append(f"STAND-IN: {what} stand in for all of the paper's data.")
        if self.scale != 1:
            lines.append(said(self.scale))
        if self.overrides:
            lines.append("Every recipe is changed: " + ", ".join(f"{k}={v}" for k, v in self.overrides.items()) + ".")
        if lines:
            lines.append("The measured figures are not comparable with the published ones.")
        return lines

    def recordings(self, table: Table, role: str) -> str | None:
        """The recordings of a role by name; None where there are none."""
        if self.stand_in is None:
            return self.data.get(role)
        if role in (VALIDATION, ROOMS):
            return None
        if self.stand_in != SCENES:
            return self.stand_in
        more = table.data[role].stand_in
        return f"{SCENES}:clips={scenes(self.scale)}" + (f",{more}" if more else "")

    def learned(self, table: Table) -> dict[str, Any]:
        """Which part of `pretraining` is learned from, as `soundviews.pretrain` takes it."""
        if self.stand_in is None:
            return {"splits": table.data[PRETRAINING].splits}
        if self.stand_in == SCENES:
            return {"folds": list(range(1, FOLDS))}
        corpus = open_corpus(self.stand_in)
        if len(folds := fold_numbers(corpus)) > 1:
            return {"folds": folds[:-1]}
        return {"splits": ["train"]} if {"train", "test"} <= set(corpus.table["split"].to_pylist()) else {}

    def judged(self, column: Column) -> dict[str, Any]:
        """Which clips train, choose and judge, as `soundviews.evaluate` takes it; stand-ins have their own parts."""
        named = column.model_dump(include={"train_split", "validation_split", "test_split", "validation_share"})
        if self.stand_in is None:
            return {key: value for key, value in named.items() if value}
        chooses = column.validation_split or column.validation_share
        return {"validation_share": HELD_OUT} if chooses else {}


def missing_recordings(table: Table, asked: Asked) -> list[str]:
    """Open all recordings that the table needs; what is missing or cannot be used, in words.

    Raises:
        SoundviewsError: the table has no such role.
    """
    unknown = [f"{role}: {nearest(role, table.data)}" for role in asked.data if role not in table.data]
    if unknown:
        raise SoundviewsError(f"table {table.name} needs no data of that name: {'; '.join(unknown)}")
    wrong = []
    for role in sorted(table.roles):
        name = asked.recordings(table, role)
        if name is not None:
            wrong += _problems(table, asked, role, name)
        elif not asked.skip_missing:
            how = words(f"--data {role}=FOLDER", f'data={{"{role}": FOLDER}}')
            wrong.append(f"{role} is not given: {table.data[role].about} Say {how}")
    for role in (VALIDATION, ROOMS):
        if (name := asked.data.get(role)) is not None:
            wrong += _problems(table, asked, role, name)
    return wrong


def with_placeholders(table: Table, asked: Asked) -> Asked:
    """The same, with the roles in capitals in place of the recordings that are not given."""
    if asked.stand_in is not None or asked.skip_missing:
        return asked
    return replace(asked, data={role: role.upper() for role in table.roles} | dict(asked.data))


def _problems(table: Table, asked: Asked, role: str, name: str) -> list[str]:
    """What is wrong with the recordings of a role, in words."""
    if role == ROOMS:
        return [] if Path(name).is_dir() else [f"{role}: no folder {name} in {Path.cwd()}"]
    try:
        corpus = open_corpus(name)
        if corpus.skipped:
            first = corpus.skipped[0]
            logger.warning(
                "%s: %d recordings of %s cannot be used, the first %s: %s",
                *(role, len(corpus.skipped), name, first.path, first.reason),
            )
        if role in (PRETRAINING, VALIDATION):
            _require_part(corpus, asked.learned(table) if role == PRETRAINING else {"splits": table.data[role].splits})
        for row in table.rows:
            for column in (table.columns[published] for published in row.published if row.reason is None):
                if role == (row.data or column.data):
                    open_tasks(corpus, **asked.judged(column))
    except SoundviewsError as error:
        return [f"{role}: {error}"]
    return []


def _require_part(corpus: Corpus, part: dict[str, Any]) -> None:
    if len(corpus.where(folds=part.get("folds"), split=part.get("splits"))):
        return
    known = sorted({str(split) for split in corpus.table["split"].to_pylist()})
    raise SoundviewsError(f"none of the {len(corpus):,} clips is in {part}; the splits there are {', '.join(known)}")


def protocol_of(text: str) -> tuple[str, dict[str, Any]]:
    """A column's protocol with its options."""
    ((name, options),) = read_requests(text)
    return name, options
