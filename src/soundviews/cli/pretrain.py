"""soundviews pretrain"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundviews.cli.app import app
from soundviews.core.errors import SoundviewsError

if TYPE_CHECKING:
    from soundviews.recipes.schema import Recipe


@app.command()
def pretrain(
    data: Annotated[
        str | None, typer.Argument(help="Folder, CSV or Parquet manifest, dataset, or 'scenes'. Labels are ignored.")
    ] = None,
    recipe: Annotated[
        str, typer.Option("--recipe", "-r", help="A shipped recipe (see `soundviews recipes`) or a .yaml file.")
    ] = "uclser",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Run directory, new or empty.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="Change the recipe: section.key=value, e.g. training.steps=2000."),
    ] = None,
    evaluation_data: Annotated[
        str | None, typer.Option("--eval-data", help="Labelled corpus to judge on while training.")
    ] = None,
    evaluation_folds: Annotated[str | None, typer.Option("--eval-folds", help="Judge on these folds only.")] = None,
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
) -> None:
    """Learn an encoder from recordings nobody has labelled.

    Example: soundviews pretrain my_recordings --recipe cola --out runs/first --set training.steps=2000
    """
    if (data is None) == (resume is None):
        raise SoundviewsError("say what to learn from (soundviews pretrain FOLDER), or --resume RUN, one of the two")
    from soundviews.cli._folds import numbers
    from soundviews.pretraining import run
    from soundviews.recipes.loading import load_recipe

    if resume is not None:
        directory = run.resume(resume)
    else:
        directory = run.pretrain(
            _with_rooms(load_recipe(recipe, set_), rooms),
            str(data),
            out or Path("runs") / Path(recipe).stem,
            evaluation_data=evaluation_data,
            workers=workers,
            devices=devices,
            strict=strict,
            folds=numbers(folds),
            evaluation_folds=numbers(evaluation_folds),
            separator=str(separator) if separator else None,
            channels=str(channels) if channels else None,
            splits=splits.split(",") if splits else None,
        )
    print(f"run {directory}")
    print(f"bundle {directory / 'bundle'}")


def _with_rooms(recipe: "Recipe", rooms: Path | None) -> "Recipe":
    """The recipe with the folder of responses in every step `room`, for the run's recipe.yaml to say it."""
    if rooms is None:
        return recipe
    found = False
    for steps in (recipe.views.anchor, recipe.views.positive):
        for place, step in enumerate(steps):
            named = step if isinstance(step, dict) else {step: {}}
            if "room" in named:
                steps[place] = {"room": {**(named["room"] or {}), "responses": str(rooms.resolve())}}
                found = True
    if not found:
        raise SoundviewsError(
            f"recipe {recipe.name!r} has no step room: leave out --rooms, or choose a recipe that has it, such as "
            "acl/room (soundviews recipes)"
        )
    return recipe
