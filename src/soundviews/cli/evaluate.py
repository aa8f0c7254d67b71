"""`soundviews evaluate`: how good is an encoder?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from soundviews.cli.app import app
from soundviews.errors import SoundviewsError

PARTS = "Which clips (choose by folds or by splits)"


@app.command()
def evaluate(
    bundle: Annotated[str, typer.Argument(help="A bundle, a run that has one, or the word logmel.")],
    data: Annotated[
        str, typer.Option(help="Labelled corpus: folder with a sub-folder a class, manifest, dataset, or scenes.")
    ],
    protocol: Annotated[
        list[str],
        typer.Option(
            "--protocol",
            "-p",
            help="knn, linear, shallow, finetune, scratch, random, qbe; options after a colon, as in "
            "linear:style=cola,epochs=50. May be given several times.",
        ),
    ],
    train_folds: Annotated[str, typer.Option(help="As in 1,2.", rich_help_panel=PARTS)] = "",
    validation_folds: Annotated[str, typer.Option(help="They choose the epoch.", rich_help_panel=PARTS)] = "",
    test_folds: Annotated[str, typer.Option(help="As in 3.", rich_help_panel=PARTS)] = "",
    train_split: Annotated[str, typer.Option(help="A name in the split column.", rich_help_panel=PARTS)] = "",
    validation_split: Annotated[str, typer.Option(help="It chooses the epoch.", rich_help_panel=PARTS)] = "",
    test_split: Annotated[str, typer.Option(help="A name in the split column.", rich_help_panel=PARTS)] = "",
    cross_validate: Annotated[
        bool, typer.Option("--cross-validate", help="Each fold is the test once.", rich_help_panel=PARTS)
    ] = False,
    seeds: Annotated[int, typer.Option(help="Repetitions, for the mean and its 95 % interval.", min=1)] = 1,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Also judge log-mel statistics, a random encoder, from scratch.")
    ] = False,
    hop: Annotated[
        int | None, typer.Option(min=1, help="Distance of the windows, in the bundle's own unit (frames or samples).")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Directory for evaluation.json and report.html.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    workers: Annotated[int, typer.Option(help="Processes that decode.", min=0)] = 2,
    batch_size: Annotated[int, typer.Option(help="Clips embedded at once.", min=1)] = 16,
    cache: Annotated[bool, typer.Option(help="Keep embeddings for the next time.")] = True,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first unreadable clip.")] = False,
) -> None:
    """Judge a bundle on a labelled corpus, by one protocol or several.

    Without folds or splits, the last fold is the test (where there are folds), else a seeded, stratified fifth.
    """
    requests = [parse_protocol(text) for text in protocol]
    folds = {
        "train_folds": parse_folds(train_folds),
        "validation_folds": parse_folds(validation_folds),
        "test_folds": parse_folds(test_folds),
    }
    splits = {"train_split": train_split, "validation_split": validation_split, "test_split": test_split}
    if cross_validate and (any(folds.values()) or any(splits.values())):
        raise SoundviewsError("--cross-validate tests on every fold: give no folds or splits beside it")
    if out is not None:
        _make_writable(out)

    import torch
    from rich.console import Console

    from soundviews.audio.cache import cache_directory
    from soundviews.audio.corpus import open_corpus
    from soundviews.evaluation import cross_validation, make_task
    from soundviews.evaluation import evaluate as run
    from soundviews.model import LogMelStatistics, load

    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    model: Any = LogMelStatistics() if bundle == "logmel" else load(bundle, device)
    if hop is not None:
        if bundle == "logmel":
            raise SoundviewsError("logmel has one window a clip: it takes no --hop")
        model = model.with_hop(hop)
    corpus = open_corpus(data, strict=strict)
    reading = {
        "cache": cache_directory("embeddings") if cache else None,
        "workers": workers,
        "batch_size": batch_size,
        "strict": strict,
        "progress": Console(stderr=True).is_terminal,
    }
    chosen: Any = {**folds, **splits, **reading}
    tasks = cross_validation(corpus, **reading) if cross_validate else [make_task(corpus, **chosen)]

    def announce(so_far: Any) -> None:
        row = so_far.rows[-1]
        typer.echo(f"{row.label}, {row.system}: {row.measure} {row.value:.3f} ({row.seconds:.1f} s)", err=True)
        if out is not None:  # a later protocol may fail or be interrupted
            so_far.save(out / "evaluation.json")

    result = run(model, tasks, requests, range(seeds), baselines, data, on_row=announce)
    Console().print(result.table())
    for note in result.notes:
        typer.echo(f"note: {note}")
    for path, reason in list(result.unreadable.items())[:5]:
        typer.echo(f"unreadable: {path}: {reason}", err=True)
    if out is not None:
        from soundviews.report.evaluation import write_evaluation

        result.save(out / "evaluation.json")
        write_evaluation(out / "report.html", result)
        typer.echo(f"written: {out / 'evaluation.json'} (every run, every class), {out / 'report.html'}")


def parse_protocol(text: str) -> tuple[str, dict[str, Any]]:
    """NAME or NAME:option=value,option=value; values as YAML reads them."""
    name, _, rest = text.partition(":")
    options = {}
    for part in filter(None, rest.split(",")):
        key, separator, value = part.partition("=")
        if not separator:
            raise SoundviewsError(f"--protocol {text!r}: options are written name=value, not {part!r}")
        import yaml

        options[key.strip()] = yaml.safe_load(value)
    return name.strip(), options


def parse_folds(text: str) -> list[int]:
    """Fold numbers separated by commas."""
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise SoundviewsError(f"folds are numbers separated by commas, as in 1,2, not {text!r}") from None


def _make_writable(directory: Path) -> None:
    """Fail before hours of work, not after."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SoundviewsError(f"cannot write to {directory}: {error}") from error
