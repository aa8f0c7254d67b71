"""`soundviews search`: where in an archive something sounds like this."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from soundviews.cli._use import Use
from soundviews.cli.app import app
from soundviews.core.messages import shown


@app.command()
def search(
    archive: Annotated[Path, typer.Argument(help="Parquet file made by `soundviews embed`.")],
    query: Annotated[Path, typer.Argument(help="A recording of what to look for.")],
    top: Annotated[int, typer.Option("--top", "-k", help="How many windows to show.", min=1)] = 10,
    once: Annotated[bool, typer.Option("--once", help="Show only the best window of each recording.")] = False,
    start: Annotated[float, typer.Option(help="Use the query from here, in seconds.", min=0)] = 0.0,
    end: Annotated[float | None, typer.Option(help="Use the query up to here, in seconds.")] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="The bundle of the archive (or its name), if it is no longer where it was.")
    ] = None,
    pool: Annotated[
        Literal["auto", "mean", "loudness", "max"],
        typer.Option(
            help="How the query's windows become one vector: their mean, the mean weighted by loudness, the largest "
            "values; auto is what the archive's bundle says."
        ),
    ] = "auto",
    csv: Annotated[Path | None, typer.Option(help="Write the table to this file, too.")] = None,
    use: Use = None,
) -> None:
    """Rank the windows of an archive by their likeness (cosine similarity) to a recording."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from soundviews.archive.search import Hit
    from soundviews.face.search import open_archive

    hits = open_archive(archive, bundle).search(query, top=top, once=once, start=start, end=end, pool=pool)
    table = Table("", "recording", "from - to", "similarity", box=None)
    for rank, hit in enumerate(hits, 1):
        name = Text(shown(hit.recording))  # text, whatever brackets and line ends are in it
        table.add_row(str(rank), name, f"{_clock(hit.start)} - {_clock(hit.end)}", f"{hit.similarity:.4f}")
    console = Console()
    if not console.is_terminal:
        console.width = 10_000  # in a pipe nothing is gained by wrapping long names
    console.print(table)
    if csv is not None:
        import csv as csv_format

        with open(csv, "w", newline="", encoding="utf-8") as file:
            csv_format.writer(file).writerows([("rank", *Hit._fields), *((i, *h) for i, h in enumerate(hits, 1))])


def _clock(seconds: float) -> str:
    """h:mm:ss.s"""
    tenths = round(seconds * 10)
    return f"{tenths // 36000}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"
