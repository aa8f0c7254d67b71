"""Protocols on tasks with repeated seeds and baselines, as rows with intervals."""

import inspect
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
from rich.table import Table

from soundviews.core.errors import SoundviewsError
from soundviews.core.files import write_text_whole
from soundviews.core.registry import nearest
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.embeddings import Embeds
from soundviews.evaluation.f1 import class_f1, confusion, counts
from soundviews.evaluation.intervals import bootstrap, over_repetitions
from soundviews.evaluation.score import Judged, Score, protocols
from soundviews.evaluation.tasks import Task
from soundviews.model import Model

MOST_CONFUSED = 100  # classes whose confusions are kept
WHOLE_NETWORK = ("finetune", "scratch")


def request_label(protocol: str, options: Mapping[str, Any]) -> str:
    """The protocol and its options as the command line takes them."""
    given = ",".join(f"{key}={value}" for key, value in options.items())
    return f"{protocol}:{given}" if given else protocol


@dataclass(frozen=True)
class Row:
    """One system under one protocol.

    value, low, high: mean over the runs of the protocol's first metric, and its 95 % interval (None: unknown).
    interval: what the interval is over. metrics, per_class: means over the runs. runs: one entry for each seed
    and task. f1: each class's F1, the mean over the runs. confusion: clips by true (row) and predicted class, in the
    order of `Evaluation.classes`, summed over the runs; None where nothing was classified or into too many. scores:
    of the runs, by seed, then task; not saved.
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
    scores: list[list[Score]] = field(default_factory=list, repr=False)

    @property
    def label(self) -> str:
        """The protocol and its options as the command line takes them."""
        return request_label(self.protocol, self.options)

    def notes(self) -> list[str]:
        """What the protocol says of its runs, each thing once."""
        said = (score.details.get("note") for of_seed in self.scores for score in of_seed)
        return [f"{self.label}, {self.system}: {note}" for note in dict.fromkeys(said) if note]


@dataclass
class Evaluation:
    """The whole result: what was judged, on what, with which figures. classes: the names, in the corpus's order."""

    model: str
    data: str
    tasks: list[str]
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, whole or not at all; figures that are not numbers become null."""
        page = asdict(replace(self, rows=[replace(row, scores=[]) for row in self.rows]))
        for row in page["rows"]:
            del row["scores"]
        text = json.dumps(_finite(page), indent=2, ensure_ascii=False)
        write_text_whole(Path(path), text + "\n")

    def table(self) -> Table:
        """For the terminal."""
        table = Table(title=f"{self.model} on {self.data}", caption="; ".join(self.tasks), title_justify="left")
        for name in ("protocol", "system", "measure"):
            table.add_column(name, overflow="fold")
        table.add_column("value", justify="right")
        table.add_column("95 % interval")
        for row in self.rows:
            protocol, system, measure, value, between, over, _ = self.cells(row)
            table.add_row(protocol, system, measure, value, f"{between}\n{over}" if over else "")
        return table

    @staticmethod
    def cells(row: Row) -> list[str]:
        """One row as text: protocol, system, measure, value, interval, what it is over, seconds."""
        between = "" if row.low is None or row.high is None else f"{row.low:.3f} to {row.high:.3f}"
        return [
            row.label,
            row.system,
            MEASURES.get(row.measure, row.measure),
            f"{row.value:.3f}",
            between,
            row.interval,
            f"{row.seconds:.1f}",
        ]


MEASURES = {
    "accuracy": "mean per-class accuracy",
    "clip_accuracy": "clips right",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "weighted_precision": "weighted precision",
    "found_again": "found again",
    "own": "cosine, before and after",
    "unrelated": "cosine, unrelated",
}


def evaluate(
    model: Embeds,
    tasks: Sequence[Task],
    requests: Sequence[tuple[str, Mapping[str, Any]]],
    seeds: Sequence[int] = (0,),
    baselines: bool = False,
    data: str = "",
    on_row: Callable[[Evaluation], Any] | None = None,
) -> Evaluation:
    """Run protocols and collect rows.

    Args:
        model: A loaded bundle, or the log-mel statistics.
        tasks: One, or one for each fold of a cross-validation.
        requests: (protocol, options) pairs. Unknown names and options fail before anything runs.
        seeds: Of classifiers, crops and random encoders. What does not depend on a seed runs once.
        baselines: Whether each protocol also judges the log-mel statistics and frozen random encoders; for
            finetune, training from scratch with the same options.
        on_row: Called with the result so far as soon as it has another row.
    """
    if not tasks or not seeds:
        raise SoundviewsError("nothing to evaluate: no task or no seed")
    check_requests(requests)
    result = Evaluation(model.name, data, [task.description for task in tasks], classes=tasks[0].corpus.vocabulary)
    for name, options in requests:
        for system, protocol, of_seed in _systems(model, name, baselines):
            given = {k: v for k, v in options.items() if protocol == name or k != "lr"}  # scratch has its own
            row = _row(system, protocol, of_seed, tasks, given, seeds)
            result.rows.append(row)
            result.notes += [note for note in row.notes() if note not in result.notes]
            if on_row:
                on_row(result)
    if baselines and any(name in WHOLE_NETWORK for name, _ in requests):
        result.notes.append("the log-mel statistics have no network to train: see their rows of other protocols")
    for task in tasks:
        result.notes += [note for note in task.notes() if note not in result.notes]
        result.unreadable |= task.skipped
    return result


def check_requests(requests: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Raise a SoundviewsError for unknown protocols and options, naming the nearest right one, and for values of
    another type than the option's; all numbers are positive."""
    for name, options in requests:
        known = set(inspect.signature(protocols.get(name)).parameters) - {"model", "task", "seed"}
        hints = get_type_hints(protocols.get(name))
        for option, value in options.items():
            if option not in known:
                hint = nearest(option, known) if known else "it has none"
                raise SoundviewsError(f"protocol {name!r} has no option {option!r}: {hint}")
            if wrong := _wrong(value, get_args(hints[option]) or (hints[option],)):
                raise SoundviewsError(f"protocol {name!r}: {option} must be {wrong}, not {value!r}")


def _wrong(value: Any, allowed: tuple[type, ...]) -> str:
    """What a value of these types would be, "" if this is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        fits = type(value) in allowed
    else:
        fits = value > 0 and (float in allowed or (int in allowed and isinstance(value, int)))
    words = {int: "a whole number above 0", float: "a number above 0", str: "text", bool: "true or false"}
    return "" if fits else " or ".join(word for kind, word in words.items() if kind in allowed)


def _systems(model: Embeds, protocol: str, baselines: bool) -> list[tuple[str, str, Callable[[int], Embeds]]]:
    """(system's name, protocol, model for a seed) of each line."""
    fresh = "random encoder" if protocol == "random" else "from scratch" if protocol == "scratch" else model.name
    lines: list[tuple[str, str, Callable[[int], Embeds]]] = [(fresh, protocol, lambda seed: model)]
    if not baselines or protocol in ("random", "scratch") or not isinstance(model, Model):
        return lines
    if protocol == "finetune":
        return [*lines, ("from scratch", "scratch", lambda seed: model)]
    statistics = LogMelStatistics()
    return [
        *lines,
        (statistics.name, protocol, lambda seed: statistics),
        ("random encoder", protocol, model.reinitialised),
    ]


def _row(
    system: str,
    protocol: str,
    of_seed: Callable[[int], Embeds],
    tasks: Sequence[Task],
    options: Mapping[str, Any],
    seeds: Sequence[int],
) -> Row:
    started = time.perf_counter()
    scores: list[list[Score]] = []  # by seed, then by task
    for seed in seeds:
        subject = of_seed(seed)
        scores.append([protocols.get(protocol)(subject, task, seed, **options) for task in tasks])
        same_model = len(seeds) > 1 and of_seed(seeds[0]) is of_seed(seeds[1])
        if same_model and all(score.deterministic for score in scores[0]):
            break
    runs = [
        {"seed": seed, "task": task.description, **score.metrics}
        for seed, row in zip(seeds, scores, strict=False)
        for task, score in zip(tasks, row, strict=True)
    ]
    every = [score for row in scores for score in row]
    if np.isnan([score.value for score in every]).any():
        raise SoundviewsError(f"{protocol} could judge no class: the test clips that can be read are all alike")
    interval = over_repetitions(runs, every[0].measure) or bootstrap(every[0])
    judged = [(task, score.judged) for row in scores for task, score in zip(tasks, row, strict=True) if score.judged]
    return Row(
        system=system,
        protocol=protocol,
        options=dict(options),
        measure=every[0].measure,
        value=float(np.mean([score.value for score in every])),
        low=interval and interval.low,
        high=interval and interval.high,
        interval=interval.over if interval else "",
        metrics=means([score.metrics for score in every]),
        per_class=means([score.per_class for score in every]),
        details=every[0].details,
        runs=runs,
        seconds=time.perf_counter() - started,
        f1=means([task.by_class(class_f1(counts(clips))) for task, clips in judged]),
        confusion=_confusion(judged),
        scores=scores,
    )


def _confusion(judged: Sequence[tuple[Task, Judged]]) -> list[list[int]] | None:
    if not judged or judged[0][0].classes > MOST_CONFUSED:
        return None
    return np.sum([confusion(clips) for _, clips in judged], axis=0).tolist()


def means(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each entry over the parts that have it."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: float(np.mean([part[name] for part in parts if name in part])) for name in names}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
