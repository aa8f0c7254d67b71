"""`soundviews reproduce`: a table of a paper, made again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundviews.cli.app import app
from soundviews.core.errors import SoundviewsError
from soundviews.core.interruption import interrupted_says
from soundviews.core.messages import say

if TYPE_CHECKING:
    from soundviews.reproduction.reproduce import Reproduction


@app.command()
def reproduce(
    table: Annotated[
        str | None, typer.Argument(help="A table, such as ssep/table2, or a .yaml file. Without: list them.")
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", help="Recordings by role: pretraining=FOLDER. Once for each that the table needs."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for everything; what is done there already stays.")
    ] = Path("reproduced"),
    plan: Annotated[bool, typer.Option("--plan", help="Only print the steps, as commands.")] = False,
    stand_in: Annotated[
        str | None,
        typer.Option(help="What stands in for all recordings: 'scenes', the built-in ones, or a labelled corpus."),
    ] = None,
    scale: Annotated[float, typer.Option(help="Share of the steps, above 0 and at most 1; shortens the rest.")] = 1.0,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each recipe, for means and intervals.")] = 1,
    set_: Annotated[
        list[str] | None, typer.Option("--set", "-s", help="Change every encoder's recipe: section.key=value.")
    ] = None,
    separator: Annotated[
        Path | None, typer.Option(help="A run of `separate train` to take instead of training one.")
    ] = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out the figures whose recordings are not given.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes that decode.")] = None,
) -> None:
    """Make a table of a paper again: train, judge, and write the measured beside the published.

    What is done already is skipped, also by other tables in the same folder; interrupted, the same command goes on, and
    started several times it shares the work. A row that fails is named, the rest goes on, and the exit code is 1.

    Example: soundviews reproduce ssep/table2 --stand-in scenes --scale 0.0002 --out reproduced
    """
    if table is None:
        _list()
        return
    from soundviews.reproduction.reproduce import reproduce as run

    with interrupted_says(f"what was done is kept in {out}; the same command goes on from there"):
        result = run(
            table,
            out,
            _by_role(data or []),
            stand_in=stand_in or False,
            scale=scale,
            seeds=seeds,
            overrides=set_,
            separator=separator,
            skip_missing=skip_missing,
            workers=workers,
            plan=plan,
        )
    (_say_plan if plan else _say_made)(result)


def _by_role(given: list[str]) -> dict[str, str | Path]:
    roles: dict[str, str | Path] = {}
    for text in given:
        role, equals, path = text.partition("=")
        if not equals or not path:
            raise SoundviewsError(f"--data takes ROLE=RECORDINGS, such as pretraining=AudioSet, not {text!r}")
        roles[role] = path
    return roles


def _list() -> None:
    """Every table with its rows, how many trainings that takes, and the recordings it needs."""
    from rich.console import Console
    from rich.table import Column, Table

    from soundviews.reproduction.page import list_tables, load_table
    from soundviews.reproduction.trainings import distinct_trainings

    shown, pages = (
        Table("table", "rows", "trainings", Column("recordings", overflow="fold"), "title"),
        [load_table(n) for n in list_tables()],
    )
    for page in pages:
        _, trainings = distinct_trainings([page])
        shown.add_row(page.name, str(len(page.rows)), str(trainings), ", ".join(sorted(page.roles)), page.title)
    Console().print(shown)
    rows, trainings = distinct_trainings(pages)
    say(f"{rows} rows train an encoder; as recipes that say the same are trained once, that is {trainings} trainings.")
    say("soundviews reproduce TABLE --plan says what a table needs, step by step.")


def _say_plan(result: "Reproduction") -> None:
    steps = list(result.plan.steps.values())
    for warning in result.plan.asked.warnings():
        say(warning)
    for line in result.lines:
        if line.state.startswith("not run"):
            say(f"{line.row}, {line.column}: {line.state}")
    for step in steps:
        say("")
        say(f"# {step.title}{' (done)' if step.is_done else ''}")
        say(step.command)
    for problem in result.missing:
        say(f"missing: {problem}", err=True)
    say("")
    say(f"{len(steps)} steps, {len(result.plan.to_do)} to do.")


def _say_made(result: "Reproduction") -> None:
    for line in result.lines:
        measured = line.state if line.value is None else f"{line.value:.3f}"
        say(f"{line.row}, {line.column}: published {line.published:g}, measured {measured or '-'}")
    for warning in result.plan.asked.warnings():
        say(warning)
    say(f"written: {', '.join(map(str, result.written))}")
    for reason in dict.fromkeys(result.failures.values()):
        say(f"failed: {reason}", err=True)
    if result.failures:
        raise typer.Exit(1)
