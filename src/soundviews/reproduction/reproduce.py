"""`soundviews.reproduce`: a table of a paper, made again."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from soundviews.core.errors import SoundviewsError
from soundviews.core.messages import show_messages
from soundviews.recipes.reading import Overrides, parse_overrides
from soundviews.reproduction.asked import SCENES, Asked, missing_recordings, with_placeholders
from soundviews.reproduction.measured import Line, lines
from soundviews.reproduction.page import load_table
from soundviews.reproduction.plan import Plan, make_plan
from soundviews.reproduction.work import work
from soundviews.reproduction.writing import write_table


class Reproduction(NamedTuple):
    """A table as far as it is made.

    plan: its steps, each with the command that does the same. lines: its figures, measured beside published.
    failures: why a step failed, by its folder. written: the pages. missing: what is wrong with the recordings, of a
    plan only.
    """

    plan: Plan
    lines: list[Line]
    failures: dict[Path, str]
    written: list[Path]
    missing: list[str]


def reproduce(
    table: str | Path,
    out: str | Path,
    data: Mapping[str, str | Path] | None = None,
    *,
    stand_in: str | Path | bool = False,
    scale: float = 1.0,
    seeds: int = 1,
    overrides: Overrides = None,
    separator: str | Path | None = None,
    skip_missing: bool = False,
    workers: int | None = None,
    plan: bool = False,
) -> Reproduction:
    """Make a table of a paper: train, judge, write the measured beside the published. The same call goes on.

    What is done already stays, for every table that has the same `out`; several processes share the work. A row that
    fails is named, and the others go on.

        sv.reproduce("ssep/table2", "work", stand_in=True, scale=0.001)

    Args:
        table: A shipped table, such as ssep/table2, or the path of a page of one's own (.yaml).
        out: The folder for everything: separators, channels, trainings, judgements, and TABLE.md, .csv and .html.
        data: Recordings by role, as {"pretraining": "AudioSet", "qbe": "qbe.csv"}; the table says which it needs.
        stand_in: True for built-in scenes in place of all recordings, or a labelled corpus of one's own.
        scale: Share of the steps, between 0 and 1; the page says what else it shortens.
        seeds: Trainings of each recipe.
        overrides: Changes of every encoder's recipe, as `soundviews.pretrain` takes them.
        separator: A run of `soundviews.train_separator` to take instead of training one.
        skip_missing: Leave out the figures whose recordings are not given.
        workers: Processes that decode.
        plan: Only say what would be done. Recordings that are missing are then named and do not end it.

    Raises:
        SoundviewsError: no such table, or recordings that are missing or cannot be used: all of them, before anything
            is trained.
        KeyboardInterrupt: interrupted; the pages say what is done so far.
    """
    show_messages()
    page = load_table(table)
    asked = Asked(
        data={role: str(path) for role, path in (data or {}).items()},
        stand_in=SCENES if stand_in is True else str(stand_in) if stand_in else None,
        scale=scale,
        seeds=seeds,
        overrides=dict(parse_overrides(overrides)),
        separator=None if separator is None else str(separator),
        skip_missing=skip_missing,
        workers=workers,
    )
    missing = missing_recordings(page, asked)
    if plan:
        planned = make_plan(page, with_placeholders(page, asked), Path(out))
        return Reproduction(planned, lines(planned, {}), {}, [], missing)
    if missing:
        raise SoundviewsError(f"table {page.name} cannot be made: " + "; ".join(missing))
    planned = make_plan(page, asked, Path(out))

    write_table(planned, {})
    failures = work(planned, partial(write_table, planned))
    return Reproduction(planned, lines(planned, failures), failures, write_table(planned, failures), [])
