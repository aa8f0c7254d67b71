"""`soundviews embed`: an archive's windows as vectors in one Parquet file."""

from pathlib import Path
from typing import Annotated

import typer

from soundviews.cli._devices import Device, chosen_device
from soundviews.cli.app import app


@app.command()
def embed(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or a run that has one.")],
    audio: Annotated[list[Path], typer.Argument(help="Audio files, folders, and manifests (.csv, .tsv, .parquet).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Parquet file to write.")],
    device: Device = "auto",
    workers: Annotated[int, typer.Option(help="Threads that decode ahead.", min=1)] = 2,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first unreadable recording.")] = False,
) -> None:
    """Embed recordings of any length: a row for each window, with recording, start, end (s) and vector.

    Interrupted, the same command goes on where it was. What cannot be read is named in OUT.skipped.csv.
    """

    from soundviews.archive.embed import embed_files
    from soundviews.archive.inputs import gather
    from soundviews.cli._progress import recordings_bar
    from soundviews.model import load

    model = load(bundle, chosen_device(device))
    inputs = gather(audio)
    try:
        with recordings_bar(len(inputs.stretches)) as advance:
            result = embed_files(model, inputs, out, bundle, workers, strict=strict, progress=advance)
    except KeyboardInterrupt:
        typer.echo(f"\nWhat was done is kept in {out}.parts; the same command goes on from there.", err=True)
        raise
    state = "was already complete" if result.already_complete else "written"
    typer.echo(f"{out} {state}: {result.windows:,} windows; {result.recordings:,} recordings were found.")
    if result.skipped:
        unread = len({one.recording for one in result.skipped})
        first = result.skipped[0]
        typer.echo(
            f"{unread:,} recordings could not be read, or not wholly; they are named in {out}.skipped.csv. "
            f"The first: {first.recording}: {first.reason}",
            err=True,
        )
