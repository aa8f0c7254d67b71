"""What the verbs that judge share: the options that choose clips, how they are read, and what is said at the end."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soundviews.cli._folds import numbers
from soundviews.core.errors import SoundviewsError

if TYPE_CHECKING:
    from soundviews.evaluation import Task
    from soundviews.evaluation.runner import Row

Request = tuple[str, dict[str, Any]]
"""A protocol's name and its options."""

WITHOUT_LABELS = ("invariance",)
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
        help="knn, linear, shallow, finetune, scratch, random, qbe, invariance; options after a colon, as in "
        "linear:style=cola,epochs=50. May be given several times.",
    ),
]
TrainFolds = Annotated[str, typer.Option(help="As in 1,2.", rich_help_panel=PARTS)]
ValidationFolds = Annotated[str, typer.Option(help="They choose epoch and thresholds.", rich_help_panel=PARTS)]
TestFolds = Annotated[str, typer.Option(help="As in 3.", rich_help_panel=PARTS)]
TrainSplit = Annotated[str, typer.Option(help="A name in the split column.", rich_help_panel=PARTS)]
ValidationSplit = Annotated[str, typer.Option(help="It chooses epoch and thresholds.", rich_help_panel=PARTS)]
TestSplit = Annotated[str, typer.Option(help="A name in the split column.", rich_help_panel=PARTS)]
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


@dataclass(frozen=True)
class Clips:
    """Which clips train, choose and judge, as the command line said it, and how they are read.

    folds: texts such as "1,2" of the training, validation and test clips; splits: names, likewise.
    """

    data: str
    folds: tuple[str, str, str] = ("", "", "")
    splits: tuple[str, str, str] = ("", "", "")
    validation_share: float = 0.0
    cross_validate: bool = False
    workers: int = 2
    batch_size: int = 16
    cache: bool = True
    strict: bool = False

    def __post_init__(self) -> None:
        for text in self.folds:
            numbers(text)
        if self.cross_validate and any(self.folds + self.splits):
            raise SoundviewsError("--cross-validate tests on every fold: give no folds or splits beside it")

    def tasks(self, requests: "Iterable[Request]") -> "list[Task]":
        """Open the corpus for these protocols: one task, or one for each fold of a cross-validation."""
        from rich.console import Console

        from soundviews.core.files import cache_directory
        from soundviews.datasets.opening import open_corpus
        from soundviews.evaluation import cross_validation, make_task

        corpus = open_corpus(self.data, strict=self.strict)
        how: dict[str, Any] = {
            "labelled": any(name not in WITHOUT_LABELS for name, _ in requests),
            "validation_share": self.validation_share,
            "cache": cache_directory("embeddings") if self.cache else None,
            "workers": self.workers,
            "batch_size": self.batch_size,
            "strict": self.strict,
            "progress": Console(stderr=True).is_terminal,
        }
        if self.cross_validate:
            return cross_validation(corpus, **how)
        for part, fold, split in zip(("train", "validation", "test"), self.folds, self.splits, strict=True):
            how |= {f"{part}_folds": numbers(fold), f"{part}_split": split or None}
        return [make_task(corpus, **how)]


def parse_protocol(text: str) -> Request:
    """NAME or NAME:option=value,option=value; values as YAML reads them, and 1e-3 is a number."""
    name, _, rest = text.partition(":")
    options = {}
    for part in filter(None, rest.split(",")):
        key, separator, value = part.partition("=")
        if not separator:
            raise SoundviewsError(f"--protocol {text!r}: options are written name=value, not {part!r}")
        import yaml

        options[key.strip()] = yaml.safe_load(value)
        if isinstance(options[key.strip()], str):
            with contextlib.suppress(ValueError):
                options[key.strip()] = float(value)
    return name.strip(), options


def make_writable(directory: Path) -> None:
    """Fail before hours of work, not after."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SoundviewsError(f"cannot write to {directory}: {error}") from error


def print_result(table: Any, rows: "Sequence[Row]") -> None:
    """The table of the results, then what else was measured; a bracket in a name is no markup of rich."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from soundviews.evaluation.figures import all_figures

    console = Console(markup=False)
    console.print(table)
    for columns, lines, _ in all_figures(rows, intervals=False):
        more = Table(title="All figures", title_justify="left", box=SIMPLE_HEAD, padding=0)
        for place, name in enumerate(columns):
            more.add_column(name, justify="left" if place < 2 else "right", overflow="fold")
        for line in lines:
            more.add_row(*line)
        console.print(more)


def say_unreadable(unreadable: Mapping[str, str]) -> None:
    """The first five by name and reason, and how many there are."""
    for path, reason in list(unreadable.items())[:5]:
        typer.echo(f"unreadable: {path}: {reason}", err=True)
    if len(unreadable) > 5:
        typer.echo(f"unreadable: {len(unreadable)} clips in all", err=True)
