"""`soundviews separate`: learn to separate from mixtures alone; its further verbs are in separate_*.py."""

from pathlib import Path
from typing import Annotated

import typer

from soundviews.cli._long_runs import Wait, Yes, consent_of
from soundviews.cli.app import app
from soundviews.core.errors import SoundviewsError
from soundviews.core.interruption import interrupted_says
from soundviews.core.messages import say

separate_app = typer.Typer(no_args_is_help=True, help="Learn to separate sounds from mixtures alone, and do it.")
app.add_typer(separate_app, name="separate")


@separate_app.command()
def train(
    data: Annotated[
        str | None,
        typer.Argument(help="Folder, CSV or Parquet manifest, dataset folder, or 'scenes'. Labels are ignored."),
    ] = None,
    recipe: Annotated[str, typer.Option("--recipe", "-r", help="A separator's recipe or a .yaml file.")] = "separator",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run directory; a run of the same recipe and recordings goes on.")
    ] = None,
    sources: Annotated[
        int | None, typer.Option(min=2, help="Channels that come out; the recipe's M if not given.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="Change the recipe: training.steps=3000, processors.early=1000, ..."),
    ] = None,
    folds: Annotated[str | None, typer.Option(help="Learn from these folds only, e.g. 1,2.")] = None,
    splits: Annotated[str | None, typer.Option(help="Learn from these splits only, e.g. train.")] = None,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the run in this directory.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Decoding processes. Default: half the cores.")] = None,
    devices: Annotated[int, typer.Option(min=1, help="GPUs to use, where there are any.")] = 1,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first unreadable recording.")] = False,
    yes: Yes = False,
    wait: Wait = False,
) -> None:
    """Learn to separate from unlabelled recordings by mixing them (MixIT).

    The run keeps checkpoints as processors: N (untrained), F (500 steps), S1 (5,000) and S2 (the last).

    Example: soundviews separate train my_recordings --recipe separator/small --out runs/separator
    """
    if (data is None) == (resume is None):
        raise SoundviewsError(
            "say what to learn from (soundviews separate train FOLDER), or --resume RUN, one of the two"
        )
    from soundviews.cli._folds import numbers
    from soundviews.face.pretrain import resume_separator, train_separator
    from soundviews.separation.processor import find_processors

    with interrupted_says("the same command goes on"):
        if resume is not None:
            directory = resume_separator(resume, wait)
        else:
            directory = train_separator(
                str(data),
                out or Path("runs") / "separator",
                recipe,
                [*(set_ or []), *([f"separator.tdcn.sources={sources}"] if sources else [])],
                folds=numbers(folds),
                splits=splits.split(",") if splits else None,
                workers=workers,
                devices=devices,
                strict=strict,
                consent=consent_of(yes),
                wait=wait,
            )
    say(f"run {directory}")
    for path in find_processors(directory).values():
        say(f"processor {path}")
