"""`soundviews data`: make or fetch recordings to work on."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from soundviews.cli.app import app

data_app = typer.Typer(no_args_is_help=True, help="Make the built-in scenes, or fetch a public dataset.")
app.add_typer(data_app, name="data")


@data_app.command()
def scenes(
    to: Annotated[Path, typer.Option(help="Folder to write; new, empty, or with these very scenes.")],
    clips: Annotated[int, typer.Option(help="How many scenes.", min=1)] = 500,
    seed: Annotated[int, typer.Option(help="Another seed, another collection.", min=0)] = 0,
    sample_rate: Annotated[int, typer.Option(help="Hz, 8000 or more.")] = 16000,
    min_seconds: Annotated[float, typer.Option(help="Shortest scene.")] = 4.0,
    max_seconds: Annotated[float, typer.Option(help="Longest scene.")] = 10.0,
    max_events: Annotated[int, typer.Option(help="1 to this many kinds of events in a scene.", min=1)] = 3,
    min_snr: Annotated[float, typer.Option(help="Faintest event, dB over the background.")] = 0.0,
    max_snr: Annotated[float, typer.Option(help="Loudest event, dB over the background.")] = 20.0,
    sources: Annotated[bool, typer.Option(help="Keep the background and each event by themselves, too.")] = True,
    workers: Annotated[int | None, typer.Option(help="Threads; by default one for each core.", min=1)] = None,
) -> None:
    """Synthesise labelled sound scenes: nothing to download, any number, the same ones for the same seed."""
    from soundviews.audio.scenes import SceneOptions, write_scenes

    options = SceneOptions(clips, seed, sample_rate, min_seconds, max_seconds, max_events, min_snr, max_snr, sources)
    corpus = write_scenes(to, options, workers)
    hours = corpus.column("duration").sum() / 3600
    typer.echo(f"{to}: {len(corpus):,} scenes, {hours:.2f} h, {len(corpus.vocabulary)} classes, 5 folds.")


@data_app.command()
def fsdnoisy18k(
    to: Annotated[Path, typer.Option(help="Folder for the dataset.")] = Path("FSDnoisy18k"),
    url_base: Annotated[str | None, typer.Option(help="A mirror of the zip files; by default Zenodo's.")] = None,
    keep_archives: Annotated[bool, typer.Option(help="Keep the zip files.")] = False,
) -> None:
    """Download FSDnoisy18k (42.5 h, 20 classes, CC BY), check and unpack it. Interrupted, it goes on where it was.

    small_clean.csv, written beside it, is the paper's setting that trains on 85 % of the verified recordings.
    """
    from soundviews.datasets.fsdnoisy18k import URL, fetch, published_differences, write_small_clean

    try:
        with _byte_bars() as bar:
            corpus = fetch(to, url_base or URL, keep_archives, bar)
    except KeyboardInterrupt:
        typer.echo(f"\nWhat came is kept in {to}; the same command goes on from there.", err=True)
        raise
    write_small_clean(corpus, to / "small_clean.csv")
    differences = published_differences(corpus)
    state = "; ".join(differences) if differences else "complete, counts as published"
    typer.echo(f"{to}: {len(corpus):,} recordings, {len(corpus.vocabulary)} classes; {state}.")
    if corpus.skipped:
        first = corpus.skipped[0]
        typer.echo(f"{len(corpus.skipped):,} recordings left out. The first: {first.path}: {first.reason}", err=True)


@contextlib.contextmanager
def _byte_bars() -> Iterator[Callable[[str], Callable[[int, int | None], None]]]:
    """Yields what starts a bar for one archive, which in turn gives what is told (bytes there, bytes in all)."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def start(name: str) -> Callable[[int, int | None], None]:
            task = bars.add_task(name, total=None)
            return lambda there, total: bars.update(task, completed=there, total=total)

        yield start
