"""What the verbs that judge share: the options that choose clips and read them, and what is said at the end."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soundviews.cli._devices import Device
from soundviews.cli._folds import names, numbers
from soundviews.cli._use import Use
from soundviews.core.messages import say

if TYPE_CHECKING:
    from soundviews.evaluation import Row
    from soundviews.report.results import ShownEvaluation

PARTS = "Which clips (choose by folds or by splits)"

Data = Annotated[
    str,
    typer.Option(
        help="Labelled corpus: folder with a sub-folder a class, manifest, dataset, or scenes. Invariance alone takes "
        "one without labels."
    ),
]
Protocols = Annotated[
    list[str],
    typer.Option(
        "--protocol",
        "-p",
        help="knn, linear, shallow, finetune, scratch, random, qbe, retrieval, invariance; options after a colon, as "
        "in linear:style=cola,epochs=50. May be given several times.",
    ),
]
Folds = Annotated[str, typer.Option(help="As in 1,2.", rich_help_panel=PARTS)]
Split = Annotated[str, typer.Option(help="A name in the split column, or several: a,b.", rich_help_panel=PARTS)]
ValidationFolds = Annotated[str, typer.Option(help="They choose epoch and thresholds.", rich_help_panel=PARTS)]
ValidationSplit = Annotated[str, typer.Option(help="It chooses epoch and thresholds.", rich_help_panel=PARTS)]
ValidationShare = Annotated[
    float,
    typer.Option(
        min=0, max=0.9, help="Hold out this share of the training clips as validation clips.", rich_help_panel=PARTS
    ),
]
CrossValidate = Annotated[
    bool, typer.Option("--cross-validate", help="Each fold is the test once.", rich_help_panel=PARTS)
]
Seeds = Annotated[int, typer.Option(help="Repetitions, for the mean and its 95 % interval.", min=1)]
Workers = Annotated[int, typer.Option(help="Processes that decode.", min=0)]
BatchSize = Annotated[int, typer.Option(help="Clips embedded at once.", min=1)]
Cache = Annotated[bool, typer.Option(help="Keep embeddings for the next time.")]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first unreadable clip.")]


def _shared(
    train_folds: Folds = "",
    validation_folds: ValidationFolds = "",
    test_folds: Folds = "",
    train_split: Split = "",
    validation_split: ValidationSplit = "",
    test_split: Split = "",
    validation_share: ValidationShare = 0.0,
    cross_validate: CrossValidate = False,
    seeds: Seeds = 1,
    device: Device = "auto",
    workers: Workers = 2,
    batch_size: BatchSize = 16,
    cache: Cache = True,
    strict: Strict = False,
    use: Use = None,
) -> dict[str, Any]:
    """The options of the verbs that judge, as `soundviews.evaluate` takes them."""
    return {
        "train_folds": numbers(train_folds),
        "validation_folds": numbers(validation_folds),
        "test_folds": numbers(test_folds),
        "train_split": names(train_split),
        "validation_split": names(validation_split),
        "test_split": names(test_split),
        "validation_share": validation_share,
        "cross_validate": cross_validate,
        "seeds": seeds,
        "device": device,
        "workers": workers,
        "batch_size": batch_size,
        "cache": cache,
        "strict": strict,
    }


def shares_options(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb with the options of `_shared` behind its own, which it is given as the mapping `how`."""
    parameters = [parameter for name, parameter in inspect.signature(verb).parameters.items() if name != "how"]
    shared = inspect.signature(_shared).parameters

    @functools.wraps(verb)
    def command(**options: Any) -> None:
        how = _shared(**{name: options.pop(name) for name in shared})
        verb(**options, how=how)

    command.__signature__ = inspect.Signature([*parameters, *shared.values()])  # type: ignore[attr-defined]
    return command


def announce(result: Any, row: "Row") -> None:
    """Say at once what a protocol has found; the tables come at the end."""
    chance = f"chance {row.details['chance']:.3f}, " if "chance" in row.details else ""
    say(f"{row.label}, {row.system}: {row.measure} {row.value:.3f} ({chance}{row.seconds:.1f} s)", err=True)


def show(result: "ShownEvaluation") -> None:
    """Print the result and where it was kept; name what failed, and exit with 1 if something did."""
    from rich.console import Console

    from soundviews.report.terminal import drawn

    Console().print(drawn(result))
    for note in result.notes:
        say(f"note: {note}")
    say_unreadable(result.unreadable)
    if result.written:
        say(f"written: {', '.join(map(str, result.written))}")
    for failure in result.failures:
        say(f"failed: {failure}", err=True)
    if result.failures:
        raise typer.Exit(1)


def say_unreadable(unreadable: Mapping[str, str]) -> None:
    """The first five by name and reason, and how many there are."""
    for path, reason in list(unreadable.items())[:5]:
        say(f"unreadable: {path}: {reason}", err=True)
    if len(unreadable) > 5:
        say(f"unreadable: {len(unreadable)} clips in all", err=True)
