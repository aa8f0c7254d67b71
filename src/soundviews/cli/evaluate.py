"""`soundviews evaluate`: how good is an encoder?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from soundviews.cli import _judging as judging
from soundviews.cli.app import app


@app.command()
@judging.shares_options
def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            help="A bundle, a run that has one, an encoder's name (`soundviews models`), logmel, logmel:RECIPE (the "
            "spectrogram that the recipe's encoder hears), or hear:MODULE (with weights hear:MODULE@FILE)."
        ),
    ],
    data: judging.Data,
    protocol: judging.Protocols,
    how: dict[str, Any],
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Also judge log-mel statistics, a random encoder, from scratch.")
    ] = False,
    hop: Annotated[
        int | None, typer.Option(min=1, help="Distance of the windows, in the bundle's own unit (frames or samples).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Directory for evaluation.json, report.html and SVG figures.")
    ] = None,
) -> None:
    """Judge an encoder on a corpus, by one protocol or several.

    Without folds or splits, the last fold is the test (where there are folds), else a seeded, stratified fifth.

    What cannot be judged is named with its reason, the rest goes on, and the exit code is 1.
    """
    from soundviews.face.evaluate import evaluate as run

    judging.show(run(model, data, protocol, baselines=baselines, hop=hop, out=out, on_row=judging.announce, **how))
