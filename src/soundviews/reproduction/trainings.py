"""Which trainings a table asks for: rows whose recipes resolve to the same page are one. No torch here."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from soundviews.recipes.reading import Page, load_page
from soundviews.reproduction.page import Row, Table


def row_page(row: Row, overrides: Mapping[str, Any] | None = None) -> Page:
    """The resolved page of a row's recipe, with its own overrides and then these."""
    assert row.recipe is not None
    return load_page(row.recipe, {**row.overrides, **(overrides or {})})


def recipe_hash(page: Page) -> str:
    """Stands for all that a recipe says but its name, its line of explanation and its seed."""
    said = {key: value for key, value in page.items() if key not in ("name", "about")}
    training = {key: value for key, value in page["training"].items() if key != "seed"}
    return digest({**said, "training": training})


def digest(*parts: Any) -> str:
    """Twelve letters that stand for the parts, which JSON can hold."""
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=6).hexdigest()


def distinct_trainings(tables: Iterable[Table]) -> tuple[int, int]:
    """How many rows of the tables have an encoder trained, and how many trainings that takes."""
    hashes = [recipe_hash(row_page(row)) for table in tables for row in table.rows if row.recipe]
    return len(hashes), len(set(hashes))


def processors_of_page(page: Page) -> list[str]:
    """The processors that a recipe's views separate with, as `soundviews prepare` takes them; none without."""
    named = [name for options in _steps(page, "separate") for name in options.get("processors", ())]
    return list(dict.fromkeys(named))


def uses_rooms(page: Page) -> bool:
    """Whether a recipe's views have the step `room`."""
    return bool(_steps(page, "room"))


def _steps(page: Page, name: str) -> list[dict[str, Any]]:
    """The options of every step of that name, in all branches."""
    views = page["views"]
    branches = [views["anchor"], views["positive"], *views.get("further", ())]
    steps = [step if isinstance(step, dict) else {step: {}} for branch in branches for step in branch]
    return [step[name] or {} for step in steps if name in step]
