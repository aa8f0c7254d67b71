"""`soundviews embed`: an archive's windows as vectors in one Parquet file."""

from pathlib import Path
from typing import Annotated

import typer

from soundviews.cli._devices import Device
from soundviews.cli._long_runs import Wait
from soundviews.cli._use import Use
from soundviews.cli.app import app
from soundviews.core.interruption import interrupted_says
from soundviews.core.messages import say


@app.command()
def embed(
    model: Annotated[
        Path, typer.Argument(help="A bundle, a run that has one, or an encoder's name (`soundviews models`).")
    ],
    data: Annotated[
        list[str],
        typer.Argument(help="Recordings, folders, manifests (.csv, .tsv, .parquet), dataset folders, scenes."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Parquet file to write.")],
    device: Device = "auto",
    workers: Annotated[int, typer.Option(help="Threads that decode ahead.", min=1)] = 2,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first unreadable recording.")] = False,
    wait: Wait = False,
    use: Use = None,
) -> None:
    """Embed recordings of any length: a row for each window, with recording, start, end (s) and vector.

    Interrupted, the same command goes on where it was. What cannot be read is named in OUT.skipped.csv.
    """
    from soundviews.face.embed import embed_archive

    # A single folder or manifest is the root of the paths in the file.
    given = data[0] if len(data) == 1 else data
    with interrupted_says(f"what was done is kept in {out}.parts; the same command goes on from there"):
        result = embed_archive(model, given, out, device=device, workers=workers, strict=strict, wait=wait)
    state = "was already complete" if result.already_complete else "written"
    say(f"{out} {state}: {result.windows:,} windows; {result.recordings:,} recordings were found.")
    if result.skipped:
        unread = len({entry.path for entry in result.skipped})
        first = result.skipped[0]
        say(
            f"{unread:,} recordings could not be read, or not wholly; they are named in {result.path}.skipped.csv. "
            f"The first: {first.path}: {first.reason}",
            err=True,
        )
