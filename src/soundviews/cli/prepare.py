"""`soundviews prepare`: separate a corpus once and keep the channels for training."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundviews.cli._devices import Device, chosen_device
from soundviews.cli._long_runs import Wait
from soundviews.cli.app import app
from soundviews.core.durations import said_bytes
from soundviews.core.errors import SoundviewsError
from soundviews.core.interruption import interrupted_says
from soundviews.core.messages import say

if TYPE_CHECKING:
    from soundviews.audio.corpus import Skipped


@app.command()
def prepare(
    data: Annotated[str, typer.Argument(help="Folder, CSV or Parquet manifest, dataset folder, or 'scenes'.")],
    separator: Annotated[Path, typer.Option(help="A run of `separate train`, or one of its processors.")],
    channels: Annotated[Path, typer.Option(help="Folder to keep the channels in; may hold others already.")],
    processors: Annotated[
        str | None, typer.Option(help='Only these, e.g. S2,F,N; "S2>N" is N after S2. Default: all of the run.')
    ] = None,
    bits: Annotated[int, typer.Option(help="16 or 24 of a sample.")] = 16,
    clip_seconds: Annotated[float, typer.Option(help="Longest clip; the recipe's audio.clip_seconds.")] = 10.0,
    device: Device = "auto",
    workers: Annotated[int, typer.Option(help="Threads that decode and compress.", min=1)] = 2,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first unreadable recording.")] = False,
    wait: Wait = False,
) -> None:
    """Separate every clip by frozen processors and keep the channels as FLAC, so that training only reads them.

    Killed or interrupted, the same command goes on where it was. Any part of the corpus (folds, splits) finds its
    clips in CHANNELS; a recording that was changed has to be prepared again.

    Example: soundviews prepare my_recordings --separator runs/separator --channels channels
    """
    if bits not in (16, 24):
        raise SoundviewsError(f"a sample has 16 or 24 bits, not {bits}")
    if clip_seconds <= 0:
        raise SoundviewsError(f"a clip is longer than {clip_seconds:g} seconds")
    import time

    from soundviews.datasets.opening import open_corpus
    from soundviews.separation import preparing
    from soundviews.separation.processor import load_processors

    chosen = load_processors(separator, processors.split(",") if processors else None)
    corpus = open_corpus(data, strict=strict).cut(clip_seconds)
    size = preparing.expected(corpus, chosen, bits)
    say(
        f"{len(corpus):,} clips, {size.seconds / 3600:.2f} h at {chosen[0].sample_rate} Hz; "
        f"{', '.join(f'{item.name} ({item.sources} channels)' for item in chosen)}: "
        f"about {said_bytes(size.estimate)} on disk, at most {said_bytes(size.most)}."
    )
    device = chosen_device(device)
    started = time.monotonic()
    with interrupted_says(f"what was done is kept in {channels}; the same command goes on from there"):
        result = preparing.prepare(corpus, chosen, channels, bits, device, workers, strict, progress=True, wait=wait)
    rate = result.made / (time.monotonic() - started)
    state = f"{result.made:,} clips separated, {rate:.1f} a second" if result.made else "was already complete"
    say(f"{result.home}: {state}; {result.total:,} are there ({said_bytes(result.size)}).")
    if result.skipped:
        _name_skipped(result.home / "skipped.csv", result.skipped)


def _name_skipped(page: Path, skipped: "list[Skipped]") -> None:
    with open(page, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "reason"), *skipped])
    say(
        f"{len(skipped):,} recordings or clips have no channels; they are named in {page}. "
        f"The first: {skipped[0].path}: {skipped[0].reason}",
        err=True,
    )
