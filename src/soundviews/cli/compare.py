"""`soundviews compare`: which encoder is better?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from soundviews.cli import _judging as judging
from soundviews.cli._devices import Device, chosen_device
from soundviews.cli.app import app

EVERYWHERE = ["linear:style=logistic", "qbe"]  # any encoder, single and several labels, and no seed


@app.command()
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="A bundle, a run that has one, logmel, or hear:MODULE (with a file of weights hear:MODULE@FILE), any "
            "Python module with the functions of HEAR 2021. NAME=RUN names the row; NAME=RUN,RUN,... is one system "
            "pretrained several times. The others are tested against the first.",
        ),
    ],
    data: judging.Data,
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            "--protocol",
            "-p",
            help="As evaluate takes it; may be given several times. Default: linear:style=logistic and qbe, which "
            "every encoder can be judged by.",
        ),
    ] = None,
    train_folds: judging.TrainFolds = "",
    validation_folds: judging.ValidationFolds = "",
    test_folds: judging.TestFolds = "",
    train_split: judging.TrainSplit = "",
    validation_split: judging.ValidationSplit = "",
    test_split: judging.TestSplit = "",
    validation_share: judging.ValidationShare = 0.0,
    cross_validate: judging.CrossValidate = False,
    seeds: judging.Seeds = 1,
    out: Annotated[
        Path | None, typer.Option(help="Directory for compare.json, compare.csv, report.html and SVG figures.")
    ] = None,
    device: Device = "auto",
    workers: judging.Workers = 2,
    batch_size: judging.BatchSize = 16,
    cache: judging.Cache = True,
    strict: judging.Strict = False,
) -> None:
    """Judge several encoders by the same protocols on the same clips, and test their differences in pairs.

    What cannot be judged is named with its reason, the rest goes on, and the exit code is 1.
    """
    requests = [judging.parse_protocol(text) for text in dict.fromkeys(protocol or EVERYWHERE)]
    folds, splits = (train_folds, validation_folds, test_folds), (train_split, validation_split, test_split)
    clips = judging.Clips(data, folds, splits, validation_share, cross_validate, workers, batch_size, cache, strict)
    if out is not None:
        judging.make_writable(out)

    from soundviews.evaluation.compare import compare as run
    from soundviews.evaluation.systems import parse_systems

    def announce(so_far: Any, row: Any) -> None:
        typer.echo(f"{row.label}, {row.system}: {row.measure} {row.value:.3f} ({row.seconds:.1f} s)", err=True)
        if out is not None:  # a later system may fail or be interrupted
            so_far.save(out / "compare.json")

    systems = parse_systems(runs)
    result = run(systems, clips.tasks(requests), requests, range(seeds), chosen_device(device), data, on_row=announce)
    _finish(result, out)


def _finish(result: Any, out: Path | None) -> None:
    """Print the result and write it where it should be kept; name what failed, for the exit code, too."""
    judging.print_result(result.tables(), result.rows)
    for note in result.notes:
        typer.echo(f"note: {note}")
    judging.say_unreadable(result.unreadable)
    if out is not None:
        from soundviews.report.compare import write_comparison

        result.save(out / "compare.json")
        written = [out / "compare.json", *write_comparison(out, result)]
        typer.echo(f"written: {', '.join(map(str, written))}")
    for failure in result.failures:
        typer.echo(f"failed: {failure}", err=True)
    if result.failures:
        raise typer.Exit(1)
