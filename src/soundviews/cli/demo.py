"""soundviews demo"""

from pathlib import Path
from typing import Annotated

import typer

from soundviews.cli.app import app


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory for everything the demo makes.")] = Path("demo"),
    set_: Annotated[list[str] | None, typer.Option("--set", "-s", help="Change the recipe `demo`.")] = None,
    clips: Annotated[int, typer.Option(min=40, help="Scenes to make.")] = 500,
) -> None:
    """Make sound scenes, pretrain a small encoder on them, judge it, write a report. Minutes on two cores."""
    from soundviews.demo import demo as run

    report = run(out, set_, clips)
    print(f"report  {report}")
    print(f"bundle  {out / 'run' / 'bundle'}")
