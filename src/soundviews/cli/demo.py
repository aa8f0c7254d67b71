"""`soundviews demo`: the whole line on built-in scenes."""

from pathlib import Path
from typing import Annotated

import typer

from soundviews.cli.app import app
from soundviews.core.interruption import interrupted_says
from soundviews.core.messages import say


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory for everything the demo makes.")] = Path("demo"),
    overrides: Annotated[list[str] | None, typer.Option("--set", "-s", help="Change the recipe `demo`.")] = None,
    separator_overrides: Annotated[
        list[str] | None, typer.Option("--set-separator", help="Change the recipe `separator/demo`.")
    ] = None,
    clips: Annotated[int, typer.Option(min=40, help="Scenes to make.")] = 240,
) -> None:
    """Listen to made-up sound scenes with the encoder that comes with soundviews; then learn from scenes.

    That is: learn to separate them, pretrain a small encoder, judge it, write a report. Takes minutes on two cores.
    Interrupted, the same command goes on.
    """
    from soundviews.face.demo_first import first_look

    for line in first_look(out / "first"):
        say(line)
    from soundviews.face.demo import demo as run  # which takes seconds to import

    with interrupted_says("the same command goes on"):
        answer, report = run(out, overrides, clips, separator_overrides)
    print(answer)
    say(f"The report, with pictures: {report}")
    say("Next, your own recordings: soundviews embed base MY_RECORDINGS --out archive.parquet")
