"""`soundviews evaluate`: how good is an encoder?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from soundviews.cli import _judging as judging
from soundviews.cli._devices import Device, chosen_device
from soundviews.cli.app import app
from soundviews.core.errors import SoundviewsError


@app.command()
def evaluate(
    bundle: Annotated[
        str,
        typer.Argument(help="A bundle, a run that has one, logmel, or hear:MODULE (with weights hear:MODULE@FILE)."),
    ],
    data: judging.Data,
    protocol: judging.Protocols,
    train_folds: judging.TrainFolds = "",
    validation_folds: judging.ValidationFolds = "",
    test_folds: judging.TestFolds = "",
    train_split: judging.TrainSplit = "",
    validation_split: judging.ValidationSplit = "",
    test_split: judging.TestSplit = "",
    validation_share: judging.ValidationShare = 0.0,
    cross_validate: judging.CrossValidate = False,
    seeds: judging.Seeds = 1,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Also judge log-mel statistics, a random encoder, from scratch.")
    ] = False,
    hop: Annotated[
        int | None, typer.Option(min=1, help="Distance of the windows, in the bundle's own unit (frames or samples).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Directory for evaluation.json, report.html and SVG figures.")
    ] = None,
    device: Device = "auto",
    workers: judging.Workers = 2,
    batch_size: judging.BatchSize = 16,
    cache: judging.Cache = True,
    strict: judging.Strict = False,
) -> None:
    """Judge an encoder on a corpus, by one protocol or several.

    Without folds or splits, the last fold is the test (where there are folds), else a seeded, stratified fifth.
    """
    requests = [judging.parse_protocol(text) for text in dict.fromkeys(protocol)]
    folds, splits = (train_folds, validation_folds, test_folds), (train_split, validation_split, test_split)
    clips = judging.Clips(data, folds, splits, validation_share, cross_validate, workers, batch_size, cache, strict)
    if out is not None:
        judging.make_writable(out)

    from soundviews.evaluation import evaluate as run

    def announce(so_far: Any) -> None:
        row = so_far.rows[-1]
        typer.echo(f"{row.label}, {row.system}: {row.measure} {row.value:.3f} ({row.seconds:.1f} s)", err=True)
        if out is not None:  # a later protocol may fail or be interrupted
            so_far.save(out / "evaluation.json")

    model = _model(bundle, chosen_device(device), hop)
    _finish(run(model, clips.tasks(requests), requests, range(seeds), baselines, data, on_row=announce), out)


def _model(text: str, device: str, hop: int | None) -> Any:
    from soundviews.evaluation.opening import open_model
    from soundviews.model import Model

    model = open_model(text, device)
    if hop is None:
        return model
    if not isinstance(model, Model):
        raise SoundviewsError(f"{text} has one window a clip: it takes no --hop")
    return model.with_hop(hop)


def _finish(result: Any, out: Path | None) -> None:
    """Print the result, and write it where it should be kept."""
    judging.print_result(result.table(), result.rows)
    for note in result.notes:
        typer.echo(f"note: {note}")
    judging.say_unreadable(result.unreadable)
    if out is not None:
        from soundviews.report.evaluation import write_evaluation

        result.save(out / "evaluation.json")
        pages = write_evaluation(out / "report.html", result)
        typer.echo(f"written: {out / 'evaluation.json'} (every run, every class), {', '.join(map(str, pages))}")
