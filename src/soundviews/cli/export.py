"""`soundviews export`: the encoder of a run that is not finished."""

from pathlib import Path
from typing import Annotated

import typer

from soundviews.cli._use import Use
from soundviews.cli.app import app
from soundviews.core.messages import say


@app.command("export")
def export_command(
    run: Annotated[Path, typer.Argument(help="A run of `pretrain`, finished or not.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Directory of the bundle. Default: RUN/bundle-so-far.")
    ] = None,
    use: Use = None,
) -> None:
    """Take the encoder so far out of a run, at any time, also while it trains.

    Example: soundviews export runs/first, then soundviews evaluate runs/first/bundle-so-far --data LABELLED_CLIPS
    """
    from soundviews.face.export import export

    say(f"bundle {export(run, out, use=use or ())}")
