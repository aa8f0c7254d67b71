"""Several systems under the same protocols: a row each, and each tested in pairs against the first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from soundviews.evaluation.intervals import over_repetitions
from soundviews.evaluation.opening import Source, open_model
from soundviews.evaluation.paired import compare_scores, holm
from soundviews.evaluation.requests import Request, Requests, read_requests, request_label
from soundviews.evaluation.result import Evaluation, Failure, Row, failure, means, row_notes
from soundviews.evaluation.runner import judge_model, judged_clips, note_clips
from soundviews.evaluation.systems import System, run_names
from soundviews.evaluation.tasks import Task


@dataclass(frozen=True)
class Difference:
    """One system less the first named, under one protocol, on the same test clips.

    difference, low, high: with its 95 % interval. p: two-sided; p_holm: p corrected (Holm) for the number of systems
    tested under the protocol. over: what was paired.
    """

    protocol: str
    system: str
    against: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    over: str


@dataclass
class Comparison(Evaluation):
    """Rows by protocol, then by system as named, and the differences from the first system."""

    systems: list[System] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def difference(self, row: Row) -> Difference | None:
        """The row against the first system's; None for that itself, and where there is none."""
        wanted = (row.label, row.system)
        return next((less for less in self.differences if (less.protocol, less.system) == wanted), None)

    def _figures(self, row: Row) -> dict[str, Any]:
        names = ("difference", "low", "high", "p", "p_holm", "over")
        columns = ("difference", "difference_low", "difference_high", "p", "p_holm", "paired")
        less = self.difference(row)
        return super()._figures(row) | {
            column: getattr(less, name, None) for column, name in zip(columns, names, strict=True)
        }


def compare(
    systems: Mapping[str, Sequence[Source]],
    tasks: Sequence[Task],
    requests: Requests,
    seeds: Sequence[int] = (0,),
    device: str = "cpu",
    data: str = "",
    on_row: Callable[[Comparison, Row], Any] | None = None,
) -> Comparison:
    """Judge every system by every protocol, one opened model in memory at a time.

    What fails is kept in `failures`, and the rest goes on.

    Args:
        systems: By name what `open_model` takes, one for each pretraining; the first is what the others are tested
            against.
        tasks: A single task, or one for each fold of a cross-validation.
        requests: What `read_requests` takes.
        seeds: Seeds of classifiers and crops, for each run of each system.
        device: Where to compute.
        data: What the corpus is called.
        on_row: Called with the result so far and each new row; a row of several runs comes after each of them.

    Raises:
        SoundviewsError: an unknown protocol or option, before anything runs; nothing could be judged.
    """
    requests = read_requests(requests)
    result = Comparison(
        ", ".join(systems),
        data,
        [task.description for task in tasks],
        classes=tasks[0].corpus.vocabulary,
        clips=judged_clips(tasks),
        systems=[System(name, run_names(sources)) for name, sources in systems.items()],
    )
    runs: dict[str, dict[str, list[Row]]] = {request_label(*request): {} for request in requests}  # then by system
    for system, sources in zip(result.systems, systems.values(), strict=True):
        for run, source in zip(system.runs, sources, strict=True):
            for outcome in _judge_run(system.name, run, source, tasks, requests, seeds, device):
                if isinstance(outcome, Failure):
                    result.failures.append(outcome)
                    continue
                runs[outcome.label].setdefault(system.name, []).append(outcome)
                _bring_up_to_date(result, runs, outcome)
                if on_row:
                    on_row(result, outcome)
    note_clips(result, tasks)
    result.require_rows()
    return result


def _judge_run(
    system: str,
    run: str,
    source: Source,
    tasks: Sequence[Task],
    requests: Sequence[Request],
    seeds: Sequence[int],
    device: str,
) -> Iterator[Row | Failure]:
    """What becomes of each request, in the name of the system and the run."""
    try:
        model = open_model(source, device)
    except Exception as error:
        yield failure(error, system, run)
        return
    for outcome in judge_model(model, tasks, requests, seeds):
        if isinstance(outcome, Failure):
            yield replace(outcome, system=system, run=run)
        else:
            yield replace(outcome, system=system, runs=[{"run": run, **figures} for figures in outcome.runs])


def _bring_up_to_date(result: Comparison, runs: Mapping[str, Mapping[str, list[Row]]], newest: Row) -> None:
    """Rows and notes with a new row, and the differences under its protocol."""
    pooled = {label: [_pool(rows) for rows in by_system.values()] for label, by_system in runs.items()}
    result.rows = [row for rows in pooled.values() for row in rows]
    result.notes = row_notes(result.rows)
    differences = {label: [less for less in result.differences if less.protocol == label] for label in runs}
    differences[newest.label] = _differences(pooled[newest.label], result.systems[0].name)
    result.differences = [less for of_protocol in differences.values() for less in of_protocol]


def _pool(rows: Sequence[Row]) -> Row:
    """The row of a system's runs; the interval is over them where there are several."""
    if len(rows) == 1:
        return rows[0]
    confusions = [row.confusion for row in rows if row.confusion]
    runs = [run for row in rows for run in row.runs]
    interval = over_repetitions(runs, rows[0].measure)
    return replace(
        rows[0],
        value=float(np.mean([row.value for row in rows])),
        low=interval and interval.low,
        high=interval and interval.high,
        interval=interval.over if interval else "",
        metrics=means([row.metrics for row in rows]),
        per_class=means([row.per_class for row in rows]),
        runs=runs,
        seconds=sum(row.seconds for row in rows),
        f1=means([row.f1 for row in rows]),
        confusion=np.sum(confusions, axis=0).tolist() if confusions else None,
        scores=[scores for row in rows for scores in row.scores],
    )


def _differences(rows: Sequence[Row], against: str) -> list[Difference]:
    """The rows of one protocol, each tested against the system of this name if that was judged."""
    first = next((row for row in rows if row.system == against), None)
    if first is None:
        return []
    tests = [(row, compare_scores(first.scores, row.scores)) for row in rows if row is not first]
    tested = [(row, test) for row, test in tests if test is not None]
    adjusted = holm([test.p for _, test in tested])
    return [
        Difference(row.label, row.system, against, test.difference, test.low, test.high, test.p, p_holm, test.over)
        for (row, test), p_holm in zip(tested, adjusted, strict=True)
    ]
