"""`soundviews.evaluate`: how good is an encoder?"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from soundviews.audio.corpus import Corpus
from soundviews.core.caches import cache_directory
from soundviews.core.errors import SoundviewsError
from soundviews.core.locks import locked
from soundviews.datasets.opening import Data
from soundviews.evaluation.opening import Source, open_model
from soundviews.evaluation.requests import Requests, needs_labels, read_requests
from soundviews.evaluation.result import Evaluation, Row
from soundviews.evaluation.runner import evaluate as judge
from soundviews.evaluation.tasks import Task, open_tasks
from soundviews.report.evaluation import write_evaluation
from soundviews.report.results import ShownEvaluation


def evaluate(
    model: Source,
    data: Data | Task,
    protocols: Requests,
    *,
    baselines: bool = False,
    train_folds: Sequence[int] | None = None,
    validation_folds: Sequence[int] | None = None,
    test_folds: Sequence[int] | None = None,
    train_split: str | Sequence[str] | None = None,
    validation_split: str | Sequence[str] | None = None,
    test_split: str | Sequence[str] | None = None,
    validation_share: float = 0.0,
    cross_validate: bool = False,
    seeds: int = 1,
    hop: int | None = None,
    device: str = "auto",
    workers: int = 2,
    batch_size: int = 16,
    cache: bool = True,
    strict: bool = False,
    out: str | Path | None = None,
    on_row: Callable[[Evaluation, Row], Any] | None = None,
) -> ShownEvaluation:
    """Judge an encoder on a labelled corpus. What fails is kept in `failures`, and the rest goes on.

    Args:
        model: What `soundviews.load` gives; the path of a run or bundle; "logmel"; "logmel:RECIPE"; "hear:MODULE".
        data: A folder, a manifest, "scenes", a corpus or several; or a task with its own parts and way of reading.
        protocols: "linear", "linear:style=cola,epochs=50", ("linear", {"style": "cola"}), a list of such, or
            {"linear": {"style": "cola"}}.
        baselines: Also judge log-mel statistics, a random encoder and training from scratch.
        train_folds ... cross_validate: Which clips train, choose and judge, as `evaluation.open_tasks` says.
        seeds: Repetitions, for the mean and its 95 % interval.
        hop: Distance of the windows, in the bundle's own unit (frames or samples).
        out: Directory for evaluation.json, report.html and SVG figures.
        on_row: Called with the result so far and each new row.

    Raises:
        SoundviewsError: an unknown protocol or option, before any audio is read; nothing could be judged.
    """
    requests = read_requests(protocols)
    with written_folder(out) as folder:
        encoder = open_model(model, device, hop)
        folds: Any = {"train_folds": train_folds, "validation_folds": validation_folds, "test_folds": test_folds}
        splits: Any = {"train_split": train_split, "validation_split": validation_split, "test_split": test_split}
        parts = folds | splits | {"validation_share": validation_share, "cross_validate": cross_validate}
        reading = reading_options(workers, batch_size, cache, strict)
        tasks = open_tasks(data, labelled=needs_labels(requests), **parts, **reading)
        keep = keep_each_row(folder and folder / "evaluation.json", on_row)
        shown = ShownEvaluation(**vars(judge(encoder, tasks, requests, range(seeds), baselines, data_name(data), keep)))
        if folder is not None:
            shown.save(folder / "evaluation.json")
            shown.written = [folder / "evaluation.json", *write_evaluation(folder / "report.html", shown)]
        return shown


def keep_each_row(file: Path | None, on_row: Callable[[Any, Row], Any] | None) -> Callable[[Any, Row], None]:
    """What to call with the result so far and each new row: it saves the result, since the next may be interrupted."""

    def keep(result: Evaluation, row: Row) -> None:
        if file is not None:
            result.save(file)
        if on_row is not None:
            on_row(result, row)

    return keep


def reading_options(workers: int, batch_size: int, cache: bool, strict: bool) -> dict[str, Any]:
    """How a task reads its clips, as `Task` has it, with a progress bar."""
    kept = cache_directory("embeddings") if cache else None
    return {"workers": workers, "batch_size": batch_size, "cache": kept, "strict": strict, "progress": True}


def data_name(data: Data | Task) -> str:
    """What a result calls its clips: the text or path as it was given, else the corpus's folder."""
    if isinstance(data, str | Path):
        return str(data)
    if isinstance(data, Corpus | Task):
        return str((data.corpus if isinstance(data, Task) else data).root)
    return ", ".join(map(data_name, data))


@contextmanager
def written_folder(out: str | Path | None) -> Iterator[Path | None]:
    """The folder, made if it is not there, which no other process writes within the block.

    What cannot be written to fails before hours of work, not after.
    """
    if out is None:
        yield None
        return
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SoundviewsError(f"cannot write to {folder}: {error}") from error
    with locked(folder, inside=True):
        yield folder
