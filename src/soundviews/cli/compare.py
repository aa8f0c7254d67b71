"""`soundviews compare`: which encoder is better?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from soundviews.cli import _judging as judging
from soundviews.cli.app import app


@app.command()
@judging.shares_options
def compare(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="A bundle, a run that has one, an encoder's name (`soundviews models`), logmel, or hear:MODULE (with "
            "a file of weights hear:MODULE@FILE), any Python module with the functions of HEAR 2021. NAME=RUN names "
            "the row; NAME=RUN,RUN,... is one system pretrained several times. The others are tested against the "
            "first.",
        ),
    ],
    data: judging.Data,
    how: dict[str, Any],
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            "--protocol",
            "-p",
            help="As evaluate takes it; may be given several times. Default: linear:style=logistic and qbe, which "
            "every encoder can be judged by.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Directory for compare.json, compare.csv, report.html and SVG figures.")
    ] = None,
) -> None:
    """Judge several encoders by the same protocols on the same clips, and test their differences in pairs.

    What cannot be judged is named with its reason, the rest goes on, and the exit code is 1.
    """
    from soundviews.evaluation.systems import parse_systems
    from soundviews.face.compare import EVERYWHERE
    from soundviews.face.compare import compare as run

    systems = parse_systems(models)
    judging.show(run(systems, data, protocol or EVERYWHERE, out=out, on_row=judging.announce, **how))
