"""`soundviews separate evaluate`: how good are processors, and what are their channels like?"""

from pathlib import Path
from typing import Annotated

import typer

from soundviews.cli._devices import Device, chosen_device
from soundviews.cli._folds import numbers
from soundviews.cli._judging import say_unreadable
from soundviews.cli.separate import separate_app
from soundviews.core.errors import SoundviewsError
from soundviews.core.messages import say


@separate_app.command()
def evaluate(
    bundle: Annotated[Path, typer.Argument(help="A run of 'soundviews separate train', or one processor.")],
    data: Annotated[
        str, typer.Option(help="Corpus. Built-in scenes and FUSS have known sources; other recordings work, too.")
    ],
    processors: Annotated[
        str | None, typer.Option(help="Which of the run, as in N,F,S1,S2; S2>N is N after S2. Default: all.")
    ] = None,
    folds: Annotated[str | None, typer.Option(help="Only these folds, as in 5.")] = None,
    splits: Annotated[str | None, typer.Option(help="Only these splits, as in test.")] = None,
    sources: Annotated[int | None, typer.Option(min=1, help="Only clips with this many known sources.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Clips at most, drawn at random; 0 for all.")] = 100,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File for everything: .json or .csv.")] = None,
    device: Device = "auto",
) -> None:
    """Judge a separator's processors by known sources, and describe their channels.

    SI-SNRi is the mean improvement over the sources of clips with two or more (MSi), 1S the SI-SNR of clips with one,
    MoMi the improvement on mixtures of two clips; under/equal/over are the clips with fewer, as many and more active
    channels than sources. Correlations are those of channels with the mixture and with each other; the level of
    channels is relative to the mixture; near-empty is the share of channels with next to nothing in them.

    Example: soundviews separate evaluate runs/separator --data scenes --splits test --sources 2
    """
    if out is not None and out.suffix not in (".json", ".csv"):
        raise SoundviewsError(f"--out takes a .json or a .csv file, not {out}")

    from rich.console import Console

    from soundviews.core.progress import bar
    from soundviews.datasets.opening import open_corpus
    from soundviews.datasets.sources import why_unknown
    from soundviews.evaluation.separation import choose, separation_figures
    from soundviews.report.separation import save, table
    from soundviews.separation.processor import load_processors

    chosen = load_processors(bundle, processors.split(",") if processors else None)
    corpus = open_corpus(data)
    part = choose(corpus.where(numbers(folds), splits.split(",") if splits else None), limit or None, sources)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.touch()  # fails before the work, not after
    with bar("separating", len(part) * len(chosen), "clips") as advance:
        results = [separation_figures(processor, part, chosen_device(device), advance) for processor in chosen]
    Console().print(table(results))
    first = results[0]
    say(f"{first.clips} clips, {first.scored} of them with known sources; {first.pairs} pairs for MoMi")
    if not first.scored:
        say(f"no SI-SNRi, 1S, under/equal/over: {why_unknown(part.clip(0).path)}")
    say_unreadable(first.unreadable)
    if out is not None:
        about = {"data": data, "folds": folds, "splits": splits, "sources": sources, "limit": limit}
        save(out, results, about)
        say(f"written: {out}")
