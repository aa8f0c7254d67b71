"""Recipes as YAML pages: which there are, and what a page says after its base and the overrides. No torch here."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from soundviews.core.components import locate
from soundviews.core.errors import SoundviewsError, brief, words
from soundviews.core.pages import parse_yaml, read_yaml
from soundviews.core.registry import nearest

COMPONENTS = ("encoder", "optimizer", "schedule", "separator")  # {name: options}: another name, other options
BRANCHES = ("anchor", "positive")

Page = dict[str, Any]
Source = str | Path | Page | BaseModel
"""A shipped recipe's name, the path of a .yaml file, a page, or a recipe that has been read."""
Overrides = Sequence[str] | Mapping[str, Any] | None
"""Changes of a page: texts `section.key=value` with YAML values, or values by `section.key`."""


def list_recipes() -> dict[str, str]:
    """Shipped recipes: name to one line."""
    root = _shipped()
    names = {path.relative_to(root).with_suffix("").as_posix(): path for path in root.rglob("*.yaml")}
    abouts = {name: " ".join(str(read_page(path).get("about", "")).split()) for name, path in names.items()}
    return dict(sorted(abouts.items()))  # a recipe before its variants


def load_page(source: Source, overrides: Overrides = None) -> Page:
    """A recipe's page after its base and the overrides, not yet checked.

    Args:
        overrides: A section is changed key by key, a component of the same name option by option. `edit_views`
            changes steps of both branches: `edit_views.room.responses=FOLDER`.
    """
    if isinstance(source, BaseModel):
        page = source.model_dump(mode="json")
    elif isinstance(source, dict):
        page = _with_base(source, None, ())
        page.setdefault("name", "page")
    else:
        page = _resolve(str(source), ())
    for key, value in parse_overrides(overrides):
        if key == "uses":
            value = _located(value, Path())
        for part in reversed(key.strip().split(".")):
            value = {part: value}
        page = _merge(page, value)
    return _edit_views(page)


def read_page(path: Path) -> Page:
    """A recipe's YAML file as it is."""
    try:
        page = read_yaml(path)
    except (OSError, ValueError) as error:
        raise SoundviewsError(f"cannot read the recipe {path}: {error}") from error
    if not isinstance(page, dict):
        raise SoundviewsError(f"{path} is no recipe: a YAML mapping is expected")
    return page


def parse_overrides(overrides: Overrides) -> list[tuple[str, Any]]:
    """Overrides as (key, value) in their order; texts are read as YAML."""
    if isinstance(overrides, str):
        raise SoundviewsError(f'overrides are {{"training.steps": 1000}} or ["training.steps=1000"], not {overrides!r}')
    if isinstance(overrides, Mapping):
        return [(str(key), value) for key, value in overrides.items()]
    changes = []
    for override in overrides or ():
        key, separator, text = override.partition("=")
        if not separator:
            raise SoundviewsError(f"{words('--set takes', 'overrides are')} key=value, not {override!r}")
        try:
            changes.append((key, parse_yaml(text)))
        except ValueError as error:
            raise SoundviewsError(f"{brief(override)}: the value is no YAML: {error}") from error
    return changes


def _shipped() -> Path:
    return Path(str(resources.files("soundviews") / "recipes" / "pages"))


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def _resolve(name: str, seen: tuple[str, ...]) -> Page:
    """The page of a shipped recipe or a file, on its base."""
    if name in seen:
        raise SoundviewsError(f"recipes refer to each other: {' -> '.join((*seen, name))}")
    path = Path(name) if _is_file(name) else _shipped() / f"{name}.yaml"
    if not _is_file(name) and not path.is_file():
        raise SoundviewsError(f"unknown recipe {name!r}: {nearest(name, list_recipes())} (or give a .yaml file)")
    page = _with_base(read_page(path), path.parent if _is_file(name) else None, (*seen, name))
    page.setdefault("name", path.stem if _is_file(name) else name)
    return page


def _with_base(page: Page, folder: Path | None, seen: tuple[str, ...]) -> Page:
    """A page merged into the one that it names as its base; a file's own base is named from its `folder`."""
    base = page.get("base")
    if not isinstance(base, str | None):
        raise SoundviewsError(f"base is the name of a recipe or a .yaml file, not {brief(base)}")
    delta = {key: value for key, value in page.items() if key != "base"}
    if "uses" in delta:
        delta["uses"] = _located(delta["uses"], folder or Path())
    if base is not None:
        name = str(folder / base) if folder is not None and _is_file(base) else base
        delta = _merge({key: value for key, value in _resolve(name, seen).items() if key != "name"}, delta)
    return _edit_views(delta)


def _merge(base: Page, delta: Page) -> Page:
    """`base` with what `delta` says: key by key, but a component of another name replaces the one that is there, and
    the modules of both are used."""
    merged = dict(base)
    for key, value in delta.items():
        before = merged.get(key)
        if isinstance(value, dict) and isinstance(before, dict) and _is_one_component(key, before, value):
            value = _merge(before, value)
        elif key == "uses":
            value = list(dict.fromkeys([*(before or []), *value]))
        merged[key] = value
    for length, other in (("epochs", "steps"), ("steps", "epochs")):  # a null only says which is not meant
        if delta.get(length) is not None and delta.get(other) is None:
            merged.pop(other, None)
    return merged


def _is_one_component(key: str, before: Page, value: Page) -> bool:
    """Whether the options of two sections go together: not those of different components."""
    if key == "features":
        named = before.get("front_end", "log_mel")
        return bool(value.get("front_end", named) == named)
    return key not in COMPONENTS or value.keys() == before.keys()


def _located(uses: Any, folder: Path) -> list[str]:
    """`uses` of a page or an override; files are absolute paths from here on."""
    if not isinstance(uses, list) or not all(isinstance(name, str) for name in uses):
        raise SoundviewsError(f"uses is a list of modules and .py files, such as [my_parts], not {brief(uses)}")
    return [locate(name, folder) for name in uses]


def _edit_views(page: Page) -> Page:
    """Apply `edit_views`: {step: options} changes these options of that step in both branches, {step: null} leaves it
    out."""
    page = dict(page)
    edits = page.pop("edit_views", None) or {}
    if not edits:
        return page
    if not isinstance(edits, dict):
        raise SoundviewsError(f"edit_views is {{step: options}}, not {brief(edits)}")
    views = page.get("views") or {}
    if not isinstance(views, dict) or not all(isinstance(views.get(branch) or [], list) for branch in BRANCHES):
        return page  # the check of the page says what is wrong with its views
    views = dict(views)
    names = {_step_name(step) for branch in BRANCHES for step in views.get(branch) or ()}
    for name in edits:
        if name not in names:
            raise SoundviewsError(f"recipe {page.get('name', '')!r} has no step {name}: {nearest(name, names)}")
    for branch in BRANCHES:
        kept = [step for step in views.get(branch) or () if edits.get(_step_name(step), {}) is not None]
        views[branch] = [_edited(step, edits.get(_step_name(step))) for step in kept]
    return page | {"views": views}


def _step_name(step: Any) -> str:
    return str(next(iter(step), "")) if isinstance(step, dict) else str(step)


def _edited(step: Any, changes: Any) -> Any:
    if changes is None:
        return step
    name = _step_name(step)
    options = (step.get(name) if isinstance(step, dict) else None) or {}
    if not isinstance(changes, dict) or not isinstance(options, dict):
        raise SoundviewsError(f"edit_views.{name} is options, such as {{seconds: 1}}, not {brief(changes)}")
    return {name: {**options, **changes}}
