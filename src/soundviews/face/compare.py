"""`soundviews.compare`: which encoder is better?"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from soundviews.datasets.opening import Data
from soundviews.evaluation.compare import Comparison
from soundviews.evaluation.compare import compare as judge
from soundviews.evaluation.requests import Requests, needs_labels, read_requests
from soundviews.evaluation.result import Row
from soundviews.evaluation.systems import Systems, read_systems
from soundviews.evaluation.tasks import Task, open_tasks
from soundviews.face.evaluate import data_name, keep_each_row, reading_options, written_folder
from soundviews.report.compare import write_comparison
from soundviews.report.results import ShownComparison

EVERYWHERE = ("linear:style=logistic", "qbe")
"""Protocols for any encoder and for single and several labels, which no seed changes."""


def compare(
    models: Systems,
    data: Data | Task,
    protocols: Requests = EVERYWHERE,
    *,
    train_folds: Sequence[int] | None = None,
    validation_folds: Sequence[int] | None = None,
    test_folds: Sequence[int] | None = None,
    train_split: str | Sequence[str] | None = None,
    validation_split: str | Sequence[str] | None = None,
    test_split: str | Sequence[str] | None = None,
    validation_share: float = 0.0,
    cross_validate: bool = False,
    seeds: int = 1,
    device: str = "auto",
    workers: int = 2,
    batch_size: int = 16,
    cache: bool = True,
    strict: bool = False,
    out: str | Path | None = None,
    on_row: Callable[[Comparison, Row], Any] | None = None,
) -> ShownComparison:
    """Judge several encoders on the same clips, and test their differences from the first in pairs.

    What fails is kept in `failures`, and the rest goes on.

    Args:
        models: {"mine": model, "theirs": "hear:module", "several": [run, run]}, by name what `soundviews.evaluate`
            takes, a list where an encoder was pretrained several times; or a list of models that have names.
        data, protocols: As `soundviews.evaluate` takes them.
        train_folds ... cross_validate: Which clips train, choose and judge, as `evaluation.open_tasks` says.
        seeds: Repetitions, for the mean and its 95 % interval.
        out: Directory for compare.json, compare.csv, report.html and SVG figures.
        on_row: Called with the result so far and each new row.

    Raises:
        SoundviewsError: an unknown protocol or option, before any audio is read; nothing could be judged.
    """
    requests, systems = read_requests(protocols), read_systems(models)
    with written_folder(out) as folder:
        folds: Any = {"train_folds": train_folds, "validation_folds": validation_folds, "test_folds": test_folds}
        splits: Any = {"train_split": train_split, "validation_split": validation_split, "test_split": test_split}
        parts = folds | splits | {"validation_share": validation_share, "cross_validate": cross_validate}
        reading = reading_options(workers, batch_size, cache, strict)
        tasks = open_tasks(data, labelled=needs_labels(requests), **parts, **reading)
        keep = keep_each_row(folder and folder / "compare.json", on_row)
        shown = ShownComparison(**vars(judge(systems, tasks, requests, range(seeds), device, data_name(data), keep)))
        if folder is not None:
            shown.save(folder / "compare.json")
            shown.written = [folder / "compare.json", *write_comparison(folder, shown)]
        return shown
