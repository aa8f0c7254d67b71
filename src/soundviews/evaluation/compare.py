"""Several encoders under the same protocols: one row each, and each tested in pairs against the first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.intervals import over_repetitions
from soundviews.evaluation.opening import open_model
from soundviews.evaluation.paired import Paired, compare_scores, holm
from soundviews.evaluation.runner import MEASURES, Evaluation, Row, check_requests, evaluate, means, request_label
from soundviews.evaluation.systems import System
from soundviews.evaluation.tasks import Task

Request = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Difference:
    """One system less the first named, under one protocol, on the same test clips.

    p_holm: p corrected (Holm) for the number of systems tested under the protocol. over: what was paired.
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


@dataclass(frozen=True)
class Failure:
    """What could not be judged, and why. protocol: empty where the run could not be opened."""

    system: str
    run: str
    protocol: str
    reason: str

    def __str__(self) -> str:
        run = "" if self.run.endswith(self.system) else f" ({self.run})"
        return f"{self.system}{run}{self.protocol and ', ' + self.protocol}: {self.reason}"


class ProtocolTable(NamedTuple):
    """The rows of one protocol as text; caption: what the values' intervals are over."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    caption: str


@dataclass
class Comparison(Evaluation):
    """Rows by protocol, then by system as named; `save` writes the differences and failures, too."""

    systems: list[System] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def difference(self, row: Row) -> Difference | None:
        """The row against the first system's; None for that itself, and where there is none."""
        found = [one for one in self.differences if (one.protocol, one.system) == (row.label, row.system)]
        return found[0] if found else None

    def by_protocol(self) -> list[ProtocolTable]:
        """The rows as text: system, value, interval, difference, its interval, corrected p."""
        columns = ["system", "value", "95 % interval", f"minus {self.systems[0].name}", "95 % interval", "p"]
        tables = []
        for label in dict.fromkeys(row.label for row in self.rows):
            rows, lines = [row for row in self.rows if row.label == label], []
            for row in rows:
                found, (value, between) = self.difference(row), self.cells(row)[3:5]
                tested = ["", "", ""]
                if found:
                    interval = f"{found.low:+.3f} to {found.high:+.3f}"
                    tested = [f"{found.difference:+.3f}", interval, f"{found.p_holm:.4f}"]
                lines.append([row.system, value, between, *tested])
            title = f"{label}: {MEASURES.get(rows[0].measure, rows[0].measure)}"
            overs = dict.fromkeys(row.interval for row in rows if row.interval)
            notes = [f"{over}: {', '.join(row.system for row in rows if row.interval == over)}" for over in overs]
            tables.append(ProtocolTable(title, columns, lines, "; ".join(notes if len(notes) > 1 else overs)))
        return tables

    def tables(self) -> Group:
        """For the terminal: a table for each protocol, and what the figures are."""
        parts: list[Table | str] = [f"{self.model} on {self.data}", "; ".join(self.tasks)]
        for title, columns, rows, caption in self.by_protocol():
            left: Any = {"title_justify": "left", "caption_justify": "left", "box": SIMPLE_HEAD}
            table = Table(title=title, caption=caption, padding=0, **left)
            table.add_column(columns[0], overflow="fold")
            for place, name in enumerate(columns[1:], 1):
                table.add_column(name, justify="right", min_width=max(len(row[place]) for row in rows))
            for row in rows:
                table.add_row(*row)
            parts += ["", table]
        return Group(*parts, *([f"\n{self.about_tests()}"] if self.differences else []))

    def about_tests(self) -> str:
        """What the differences and p-values are, in a few words."""
        if not self.differences:
            return ""
        over = ", ".join(dict.fromkeys(f"{one.over} ({one.protocol})" for one in self.differences))
        return (
            f"Differences from {self.systems[0].name} on the same test clips, paired over {over}: bootstrap interval, "
            "p of the sign-flip permutation test, corrected for the systems of a protocol (Holm). They speak for "
            "these encoders on more such clips or classes, not for other pretrainings."
        )


def compare(
    systems: Sequence[System],
    tasks: Sequence[Task],
    requests: Sequence[Request],
    seeds: Sequence[int] = (0,),
    device: str = "cpu",
    data: str = "",
    on_row: Callable[[Comparison, Row], Any] | None = None,
) -> Comparison:
    """Judge every system by every protocol, one encoder in memory at a time.

    What fails is kept in `failures`, and the rest goes on.

    Args:
        systems: The first is what the others are tested against.
        tasks: One, or one for each fold of a cross-validation.
        requests: (protocol, options) pairs. Unknown names and options fail before anything runs.
        seeds: Of classifiers and crops, for each run of each system.
        device: Where to compute.
        on_row: Called with the result so far and each new row; a row of several runs comes after each of them.

    Raises:
        SoundviewsError: nothing could be judged.
    """
    check_requests(requests)
    result = Comparison(
        ", ".join(system.name for system in systems),
        data,
        [task.description for task in tasks],
        classes=tasks[0].corpus.vocabulary,
        systems=list(systems),
    )
    of_runs: dict[tuple[int, int], list[Row]] = {}  # by request, then system
    tests: dict[tuple[int, int], Paired | None] = {}
    for place, system in enumerate(systems):
        for run in system.runs:
            for number, row in _rows(result.failures, system, run, tasks, requests, seeds, device):
                of_runs.setdefault((number, place), []).append(row)
                pooled = {key: _pooled(rows) for key, rows in sorted(of_runs.items())}
                result.rows = list(pooled.values())
                if place and (number, 0) in pooled:
                    tests[number, place] = compare_scores(pooled[number, 0].scores, pooled[number, place].scores)
                result.differences = _differences(pooled, tests)
                result.notes += [note for note in row.notes() if note not in result.notes]
                if on_row:
                    on_row(result, row)
    for task in tasks:
        result.notes += [note for note in task.notes() if note not in result.notes]
        result.unreadable |= task.skipped
    if not result.rows:
        raise SoundviewsError("nothing could be judged: " + "; ".join(map(str, result.failures)))
    return result


def _rows(
    failures: list[Failure],
    system: System,
    run: str,
    tasks: Sequence[Task],
    requests: Sequence[Request],
    seeds: Sequence[int],
    device: str,
) -> Iterator[tuple[int, Row]]:
    """The number of each request that succeeds, and its row; why the others did not goes to `failures`."""
    try:
        model = open_model(run, device)
        model.name = system.name
    except Exception as error:
        failures.append(Failure(system.name, run, "", _reason(error)))
        return
    for number, (name, options) in enumerate(requests):
        try:
            row = evaluate(model, tasks, [(name, options)], seeds).rows[0]
        except (
            Exception
        ) as error:  # whatever one encoder meets, such as the end of the GPU's memory, the others may not
            failures.append(Failure(system.name, run, request_label(name, options), _reason(error)))
        else:
            yield number, replace(row, system=system.name, runs=[{"run": run, **one} for one in row.runs])


def _pooled(rows: Sequence[Row]) -> Row:
    """One row of a system's runs: the interval is over them where there are several."""
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


def _differences(
    rows: Mapping[tuple[int, int], Row], tests: Mapping[tuple[int, int], Paired | None]
) -> list[Difference]:
    """Every test as a difference, corrected among those of its protocol."""
    found = []
    for number in dict.fromkeys(number for number, _ in rows):
        mine = {place: test for (request, place), test in tests.items() if request == number and test is not None}
        adjusted = holm([test.p for test in mine.values()])
        for (place, test), p_holm in zip(mine.items(), adjusted, strict=True):
            row, first = rows[number, place], rows[number, 0]
            between = (test.difference, test.low, test.high, test.p, p_holm)
            found.append(Difference(row.label, row.system, first.system, *between, test.over))
    return found


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, SoundviewsError) else f"{type(error).__name__}: {error}"
