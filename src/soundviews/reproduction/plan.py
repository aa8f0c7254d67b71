"""From a table and what is asked for to the steps that make it, each once, and the figures that come out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from soundviews.evaluation.requests import request_label
from soundviews.face.evaluate import evaluate
from soundviews.face.pretrain import pretrain
from soundviews.recipes.reading import Page
from soundviews.reproduction.asked import Asked, protocol_of
from soundviews.reproduction.page import PRETRAINING, ROOMS, VALIDATION, Row, Table
from soundviews.reproduction.scale import shortened, shortened_options
from soundviews.reproduction.separating import Channels, channels_of, separator_of
from soundviews.reproduction.steps import Step, command
from soundviews.reproduction.trainings import digest, processors_of_page, recipe_hash, row_page, uses_rooms


class Cell(NamedTuple):
    """A figure of the table.

    published: as printed, in percent where `percent` says so. metric: which of the protocol's figures; None its first.
    recipe, hash: what makes the encoder; empty for what is judged as it is.
    steps: folders of the trainings and judgements that it needs; judgements: those that hold its figures, by seed.
    reason: why it is not measured, empty where it is.
    """

    row: str
    column: str
    published: float
    percent: bool
    metric: str | None
    recipe: str = ""
    hash: str = ""
    steps: tuple[Path, ...] = ()
    judgements: tuple[Path, ...] = ()
    reason: str = ""


@dataclass
class Plan:
    """The steps by folder, in an order in which they can be done, and the figures in the table's order."""

    table: Table
    asked: Asked
    out: Path
    steps: dict[Path, Step] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)

    @property
    def to_do(self) -> list[Step]:
        return [step for step in self.steps.values() if not step.is_done]

    def add(self, step: Step) -> Path:
        """Add a step, which several rows may ask for; returns its folder."""
        self.steps.setdefault(step.folder, step)
        return step.folder


class _Training(NamedTuple):
    """An encoder: what it is judged as, its folder (none for what is not trained), its seed."""

    model: str
    folder: Path | None
    seed: int


def make_plan(table: Table, asked: Asked, out: Path) -> Plan:
    """The steps and figures of a table; nothing is opened or written, but for a stand-in of one's own."""
    plan = Plan(table, asked, out)
    pages = {row.name: _small_page(row, asked) for row in table.rows if row.recipe and not _missing(plan, row)}
    channels = _separation(plan, list(pages.values())) if pages else {}
    for row in table.rows:
        why = row.reason or _missing(plan, row)
        encoders = []
        if not why:
            page = pages.get(row.name)
            encoders = _trained(plan, row, page, channels) if page else [_Training(str(row.model), None, 0)]
        hashed = recipe_hash(pages[row.name]) if row.name in pages else ""
        for column in row.published:
            plan.cells.append(_cell(plan, row, column, encoders, why, hashed))
    return plan


def _missing(plan: Plan, row: Row) -> str:
    """Why a row cannot be made with the recordings that are given; empty where it can."""
    needed = {PRETRAINING} if row.recipe else set()
    needed |= {row.data} if row.data else set()
    missing = [role for role in sorted(needed) if plan.asked.recordings(plan.table, role) is None]
    return f"no recordings are given as {', '.join(missing)}" if missing else ""


def _small_page(row: Row, asked: Asked) -> Page:
    """The row's resolved recipe with everything that is asked for, but for its seed."""
    changes = _changes(row, asked)
    return row_page(row, changes)


def _changes(row: Row, asked: Asked) -> dict[str, Any]:
    """All that differs from the row's recipe, by `section.key`, but for its seed."""
    changes = {**row.overrides, **asked.overrides}
    page = row_page(row, changes)
    if (rooms := asked.data.get(ROOMS)) is not None and uses_rooms(page):
        changes["edit_views.room.responses"] = str(Path(rooms).resolve())
    return changes | shortened(page, asked.scale)


def _separation(plan: Plan, pages: list[Page]) -> dict[float, Channels]:
    """The channels that the recipes learn from, by the length of a clip; the steps that make them are added."""
    wanted: dict[float, list[str]] = {}
    for page in pages:
        if processors := processors_of_page(page):
            named = wanted.setdefault(page["audio"]["clip_seconds"], [])
            named += [name for name in processors if name not in named]
    if not wanted:
        return {}
    data, learned = _recordings(plan, PRETRAINING), plan.asked.learned(plan.table)
    separator, step = separator_of(plan.table, plan.asked, plan.out, data, learned)
    needs = (plan.add(step),) if step else ()
    kept = {}
    for seconds, processors in wanted.items():
        making = channels_of(plan.out, data, separator, processors, seconds, needs)
        kept[seconds] = Channels(separator, making.folder.parent, plan.add(making))
    return kept


def _trained(plan: Plan, row: Row, page: Page, channels: Mapping[float, Channels]) -> list[_Training]:
    """The trainings of a row, one for each seed; the first has the recipe's own seed."""
    asked, data, learned = plan.asked, _recordings(plan, PRETRAINING), plan.asked.learned(plan.table)
    separates = channels.get(page["audio"]["clip_seconds"]) if processors_of_page(page) else None
    options: dict[str, Any] = dict(learned)
    if (validation := asked.recordings(plan.table, VALIDATION)) is not None and VALIDATION in plan.table.data:
        options |= {"evaluation_data": validation, "evaluation_splits": plan.table.data[VALIDATION].splits}
    trainings, first = [], page["training"].get("seed", 0)
    decides = digest(data, options, separates.separator.name if separates else "")
    if separates:
        options |= {"separator": str(separates.separator), "channels": str(separates.folder)}
    if asked.workers is not None:
        options["workers"] = asked.workers
    for seed in range(first, first + asked.seeds):
        folder = plan.out / "trainings" / f"{recipe_hash(page)}-{decides[:6]}-seed{seed}"
        overrides = _changes(row, asked) | {"training.seed": seed}
        told = {"recipe": row.recipe, "out": str(folder), "overrides": overrides, **options}
        step = Step(
            f"train {row.recipe}, seed {seed}",
            folder,
            folder / "bundle" / "config.json",
            command("pretrain", [data], told),
            partial(pretrain, data, **told),
            (separates.step,) if separates else (),
        )
        trainings.append(_Training(str(folder), plan.add(step), seed))
    return trainings


def _cell(plan: Plan, row: Row, name: str, encoders: list[_Training], why: str, hashed: str) -> Cell:
    """A figure, and the judgements that it is the mean of."""
    column = plan.table.columns[name]
    role = row.data or column.data
    data = plan.asked.recordings(plan.table, role) if role and not why else None
    if not why and data is None:
        why = f"no recordings are given as {role}"
    judgements = [] if why or data is None else [_judged(plan, row, name, data, encoder) for encoder in encoders]
    steps = (*(encoder.folder for encoder in encoders if encoder.folder), *judgements)
    described = row.recipe or "", hashed if not why else ""
    figures = row.published[name], column.percent, column.metric
    return Cell(row.name, name, *figures, *described, steps if not why else (), tuple(judgements), why)


def _judged(plan: Plan, row: Row, name: str, data: str, encoder: _Training) -> Path:
    """The folder of a judgement of one encoder; its step is added."""
    column = plan.table.columns[name]
    protocol, options = protocol_of(row.protocols.get(name, column.protocol))
    request = request_label(protocol, shortened_options(options, plan.asked.scale))
    parts = plan.asked.judged(column)
    judged = encoder.folder.name if encoder.folder else encoder.model
    folder = plan.out / "judgements" / f"{digest(judged, data, request, parts)}-seed{encoder.seed}"
    more = {} if plan.asked.workers is None else {"workers": plan.asked.workers}
    told = {"out": str(folder), **parts, **more}
    step = Step(
        f"judge {row.name} by {request}, seed {encoder.seed}",
        folder,
        folder / "evaluation.json",
        command("evaluate", [encoder.model], {"data": data, "protocol": request, **told}),
        partial(evaluate, encoder.model, data, request, **told),
        (encoder.folder,) if encoder.folder else (),
    )
    return plan.add(step)


def _recordings(plan: Plan, role: str) -> str:
    name = plan.asked.recordings(plan.table, role)
    assert name is not None
    return name
