"""What an evaluation finds: rows of figures, what could not be judged, and what a reader must know about both."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soundviews.core.errors import SoundviewsError
from soundviews.core.files import write_text_whole
from soundviews.evaluation.requests import request_label
from soundviews.evaluation.score import Score

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class JudgedClip:
    """A test clip: its recording, from start to end in seconds (None is the recording's end), and its classes."""

    path: str
    start: float
    end: float | None
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One system under one protocol.

    system: What was judged; protocol, options: how.
    measure: The protocol's first metric, a share of at most 1; value: its mean over the runs.
    low, high: The value's 95 % interval, None where it is not known; interval: what it is over, in words.
    metrics: Every metric's mean over the runs, the measure first. per_class: the measure by class name, the mean over
        the runs.
    details: The settings that decided the figures of the first run.
    runs: One entry for each seed and task: "seed", "task" and the metrics; in a comparison also "run", the pretraining.
    seconds: How long it took.
    f1: F1 by class name, the mean over the runs.
    confusion: Clips by true (row) and predicted class (column), in the order of `Evaluation.classes`, summed over the
        runs; None where nothing was classified or into too many classes.
    predicted: The class that each of `Evaluation.clips` was taken for in the first run, with several labels the
        likeliest; None where there is none, empty where nothing was classified.
    scores: The runs' scores, by seed, then task; not saved.
    """

    system: str
    protocol: str
    options: dict[str, Any]
    measure: str
    value: float
    low: float | None
    high: float | None
    interval: str
    metrics: dict[str, float]
    per_class: dict[str, float]
    details: dict[str, Any]
    runs: list[dict[str, Any]]
    seconds: float
    f1: dict[str, float] = field(default_factory=dict)
    confusion: list[list[int]] | None = None
    predicted: list[str | None] = field(default_factory=list, repr=False)
    scores: list[list[Score]] = field(default_factory=list, repr=False)

    @property
    def label(self) -> str:
        """The protocol and its options as the command line takes them."""
        return request_label(self.protocol, self.options)

    def notes(self) -> list[str]:
        """What the protocol says of its runs, each thing once."""
        notes = (score.details.get("note") for of_seed in self.scores for score in of_seed)
        return [note for note in dict.fromkeys(notes) if note]


def row_notes(rows: Sequence[Row]) -> list[str]:
    """What the protocols say of the rows: each thing once, behind the names of all rows that it is said of."""
    said: dict[str, dict[str, list[str]]] = {}  # by note, then by protocol: the systems
    for row in rows:
        for note in row.notes():
            said.setdefault(note, {}).setdefault(row.label, []).append(row.system)
    named = {note: [", ".join((label, *systems)) for label, systems in of.items()] for note, of in said.items()}
    return [f"{'; '.join(names)}: {note}" for note, names in named.items()]


@dataclass(frozen=True)
class Failure:
    """What could not be judged, and why.

    run: Which pretraining of the system, empty where there is one. protocol: with its options; empty where the run
    could not be opened.
    """

    system: str
    run: str
    protocol: str
    reason: str

    def __str__(self) -> str:
        run = f" ({self.run})" if self.run and not self.run.endswith(self.system) else ""
        return f"{self.system}{run}{self.protocol and ', ' + self.protocol}: {self.reason}"


def failure(error: Exception, system: str, run: str = "", protocol: str = "") -> Failure:
    """The failure that an exception is; what nobody foresaw is logged with its traceback, since it may be a bug."""
    if isinstance(error, SoundviewsError):
        return Failure(system, run, protocol, str(error))
    logger.error("%s %s could not be judged", system, protocol, exc_info=error)
    return Failure(system, run, protocol, f"{type(error).__name__}: {error}")


@dataclass
class Evaluation:
    """The whole result: what was judged, on what, with which figures.

    model: The systems' names. data: what the corpus is called. tasks: their descriptions. rows: by protocol, then by
        system.
    notes: What a reader must know. unreadable: why a clip was skipped, by path. classes: names in the corpus's order.
    failures: What could not be judged; the rest was.
    clips: The test clips, task after task, the unreadable ones among them.
    """

    model: str
    data: str
    tasks: list[str]
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    clips: list[JudgedClip] = field(default_factory=list, repr=False)

    def note(self, notes: Sequence[str]) -> None:
        """Add those notes that are new."""
        self.notes += [note for note in dict.fromkeys(notes) if note not in self.notes]

    def require_rows(self) -> None:
        """Raise a SoundviewsError with all reasons if nothing could be judged."""
        if not self.rows:
            raise SoundviewsError("nothing could be judged: " + "; ".join(map(str, self.failures)))

    def records(self) -> list[dict[str, Any]]:
        """A flat mapping for each row: protocol, system, measure, value, interval, seconds, then every metric."""
        return [self._figures(row) | {"seconds": row.seconds, **row.metrics} for row in self.rows]

    def _figures(self, row: Row) -> dict[str, Any]:
        measured = {"protocol": row.label, "system": row.system, "measure": row.measure, "value": row.value}
        return measured | {"low": row.low, "high": row.high, "interval": row.interval}

    def frame(self) -> Any:
        """`records` as a pandas DataFrame.

        Raises:
            SoundviewsError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise SoundviewsError("a data frame needs pandas, which is not installed: pip install pandas") from error
        return pandas.DataFrame.from_records(self.records())

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, whole or not at all; figures that are not numbers become null."""
        page = {part.name: getattr(self, part.name) for part in fields(self)}
        kept = [part.name for part in fields(Row) if part.name != "scores"]
        page["rows"] = [{name: getattr(row, name) for name in kept} for row in self.rows]
        text = json.dumps(_plain(page), indent=2, ensure_ascii=False)
        write_text_whole(Path(path), text + "\n")


def means(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each entry over the parts that have it."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: float(np.mean([part[name] for part in parts if name in part])) for name in names}


def _plain(value: Any) -> Any:
    """What JSON can hold: dataclasses as mappings, null for NaN and infinity."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
