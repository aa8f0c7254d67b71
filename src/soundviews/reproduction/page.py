"""A table as a YAML page: its rows, their recipes, how they are judged, the published figures. No torch here."""

from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from soundviews.core.errors import SoundviewsError
from soundviews.core.pages import read_yaml
from soundviews.core.registry import nearest
from soundviews.recipes.schema import Section, explain

PRETRAINING, VALIDATION, ROOMS = "pretraining", "validation", "rooms"


class Role(Section):
    """Recordings that a table needs.

    about: what they are, and how to get them.
    splits: of the role `pretraining` the splits to learn from, of `validation` those to judge on; none is all.
    optional: whether the table can be made without them.
    stand_in: options of the built-in scenes that stand in for them.
    """

    about: str
    splits: list[str] | None = None
    optional: bool = False
    stand_in: str = ""


class Column(Section):
    """A figure of each row, and how it is measured.

    protocol: as `soundviews evaluate` takes it.
    data: the role that it judges on; a row may name its own.
    metric: one of the protocol's figures; by default its first.
    percent: whether the paper writes it in percent.
    train_split, validation_split, test_split, validation_share: as `soundviews evaluate` takes them.
    """

    protocol: str
    data: str | None = None
    metric: str | None = None
    percent: bool = False
    train_split: str | None = None
    validation_split: str | None = None
    test_split: str | None = None
    validation_share: float = Field(default=0.0, ge=0, le=0.9)


class Row(Section):
    """A row: one of `recipe`, `model` and `reason`.

    recipe: the recipe that makes its encoder; overrides: what is changed of it, by `section.key`.
    model: what is judged as it is, such as logmel.
    reason: why the row cannot be run.
    data: the role that all its columns judge on; protocols: other ones than the columns', by column.
    published: the paper's figures by column, as printed; only these columns are measured.
    """

    name: str
    recipe: str | None = None
    overrides: dict[str, Any] = Field(default_factory=dict)
    model: str | None = None
    reason: str | None = None
    data: str | None = None
    protocols: dict[str, str] = Field(default_factory=dict)
    published: dict[str, float] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_of_three(self) -> "Row":
        if sum(given is not None for given in (self.recipe, self.model, self.reason)) != 1:
            raise ValueError("say one of recipe, model and reason")
        return self


class Table(Section):
    """The whole page.

    source: paper and table. notes: what a reader must know who compares the figures.
    separator, stand_in_separator: the recipes of the separator for rows that separate.
    """

    name: str
    title: str
    source: str
    notes: list[str] = Field(default_factory=list)
    data: dict[str, Role]
    columns: dict[str, Column] = Field(min_length=1)
    rows: list[Row] = Field(min_length=1)
    separator: str = "separator"
    stand_in_separator: str = "separator/small"

    @model_validator(mode="after")
    def _names_fit(self) -> "Table":
        for row in self.rows:
            for column in {*row.published, *row.protocols} - self.columns.keys():
                raise ValueError(f"row {row.name} has a column {column}: {nearest(column, self.columns)}")
            for role in self.roles_of(row) - self.data.keys():
                raise ValueError(f"row {row.name} needs the data {role}: {nearest(role, self.data)}")
        return self

    def roles_of(self, row: Row) -> set[str]:
        """The data that a row cannot be made without; none for one that cannot be run."""
        if row.reason is not None:
            return set()
        judged = {row.data or self.columns[column].data or "" for column in row.published}
        return judged | ({PRETRAINING} if row.recipe else set())

    @property
    def roles(self) -> set[str]:
        """The data that no row that can be run can do without."""
        return set().union(*(self.roles_of(row) for row in self.rows))


def list_tables() -> list[str]:
    """The names of the shipped tables."""
    root = _shipped()
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.yaml"))


def load_table(name: str | Path) -> Table:
    """A shipped table, or the page of one's own at a path that ends in .yaml.

    Raises:
        SoundviewsError: there is none, or what it says cannot be.
    """
    text = str(name)
    own = text.endswith((".yaml", ".yml"))
    path = Path(text) if own else _shipped() / f"{text}.yaml"
    if not own and text not in list_tables():
        raise SoundviewsError(f"unknown table {text!r}: {nearest(text, list_tables())} (or give a .yaml file)")
    try:
        page = read_yaml(path)
    except (OSError, ValueError) as error:
        raise SoundviewsError(f"cannot read the table {path}: {error}") from error
    if not isinstance(page, dict):
        raise SoundviewsError(f"{path} is no table: a YAML mapping is expected")
    try:
        return Table.model_validate({"name": path.stem if own else text, **page})
    except ValidationError as error:
        raise SoundviewsError(f"table {text}: {explain(error, Table)}") from error


def _shipped() -> Path:
    return Path(str(resources.files("soundviews") / "reproduction" / "tables"))
