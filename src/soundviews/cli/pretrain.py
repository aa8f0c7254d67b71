"""soundviews pretrain"""

from pathlib import Path
from typing import Annotated

import typer

from soundviews.cli._long_runs import Wait, Yes, consent_of
from soundviews.cli._use import Use
from soundviews.cli.app import app
from soundviews.core.errors import SoundviewsError
from soundviews.core.interruption import interrupted_says
from soundviews.core.messages import say


@app.command("pretrain")
def pretrain_command(
    data: Annotated[
        str | None,
        typer.Argument(help="Folder, CSV or Parquet manifest, dataset, 'scenes' or 'synthesis'. Labels are ignored."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            "-r",
            help="A shipped recipe (see `soundviews recipes`) or a .yaml file. Default: by audio and hardware.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run directory; a run of the same recipe and recordings goes on.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="Change the recipe: section.key=value, e.g. training.steps=2000."),
    ] = None,
    evaluation_data: Annotated[
        str | None, typer.Option("--evaluation-data", help="Labelled corpus to judge on while training.")
    ] = None,
    evaluation_folds: Annotated[
        str | None, typer.Option("--evaluation-folds", help="Judge on these folds only.")
    ] = None,
    evaluation_splits: Annotated[
        str | None, typer.Option("--evaluation-splits", help="Judge on these splits only, e.g. train_clean.")
    ] = None,
    folds: Annotated[str | None, typer.Option(help="Learn from these folds only, e.g. 1,2.")] = None,
    splits: Annotated[str | None, typer.Option(help="Learn from these splits only, e.g. train_noisy.")] = None,
    separator: Annotated[
        Path | None, typer.Option("--separator", help="A run of `separate train`: the processors of the recipe.")
    ] = None,
    channels: Annotated[
        Path | None, typer.Option("--channels", help="Where `prepare` kept their channels. Default: on the fly.")
    ] = None,
    rooms: Annotated[Path | None, typer.Option("--rooms", help="A folder of responses for the step room.")] = None,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the run in this directory.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Decoding processes. Default: half the cores.")] = None,
    devices: Annotated[int, typer.Option(min=1, help="GPUs to use, where there are any.")] = 1,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first unreadable recording.")] = False,
    yes: Yes = False,
    wait: Wait = False,
    use: Use = None,
) -> None:
    """Learn an encoder from recordings nobody has labelled.

    It says what it will take once that is measured, and asks if that is more than a day.

    Example: soundviews pretrain my_recordings --out runs/first
    """
    if (data is None) == (resume is None):
        raise SoundviewsError("say what to learn from (soundviews pretrain FOLDER), or --resume RUN, one of the two")
    from soundviews.cli._folds import names, numbers
    from soundviews.face.pretrain import pretrain, resume_pretraining

    with interrupted_says("the same command goes on"):
        if resume is not None:
            directory = resume
            resume_pretraining(resume, wait)
        else:
            directory = out or Path("runs") / ("first" if recipe is None else Path(recipe).stem)
            pretrain(
                str(data),
                directory,
                recipe,
                set_,
                evaluation_data=evaluation_data,
                evaluation_folds=numbers(evaluation_folds),
                evaluation_splits=names(evaluation_splits),
                folds=numbers(folds),
                splits=names(splits),
                separator=separator,
                channels=channels,
                rooms=rooms,
                workers=workers,
                devices=devices,
                strict=strict,
                use=use or (),
                consent=consent_of(yes),
                wait=wait,
            )
    say(f"run {directory}")
    say(f"bundle {directory / 'bundle'}")
