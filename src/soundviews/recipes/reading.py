"""Recipes as YAML pages: which there are, and what a page says after its base and the overrides. No torch here."""

import re
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import nearest

WHOLE = ("encoder", "objectives", "anchor", "positive", "optimizer", "schedule", "separator")  # replaced, never merged


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads 1e-3 as text, because it has no point; here it is a number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def list_recipes() -> dict[str, str]:
    """Shipped recipes: name to one line."""
    root = resources.files("soundviews") / "recipes" / "pages"
    found = {}
    for path in Path(str(root)).rglob("*.yaml"):
        name = path.relative_to(str(root)).with_suffix("").as_posix()
        found[name] = " ".join(str(read_page(path).get("about", "")).split())
    return dict(sorted(found.items()))  # a recipe before its variants


def load_page(name_or_path: str | Path, overrides: list[str] | None = None) -> dict[str, Any]:
    """A recipe's page after its base and the overrides, not yet checked."""
    page = _resolve(str(name_or_path), seen=())
    for override in overrides or []:
        key, separator, value = override.partition("=")
        if not separator:
            raise SoundviewsError(f"--set takes key=value, not {override!r}")
        try:
            delta: Any = yaml.load(value, _Loader)
        except yaml.YAMLError as error:
            raise SoundviewsError(f"--set {override}: the value is no YAML: {error}") from error
        for part in reversed(key.strip().split(".")):
            delta = {part: delta}
        page = _merge(page, delta)
    return _edit_views(page)


def read_page(path: Path) -> dict[str, Any]:
    """A recipe's YAML file as it is."""
    try:
        page = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SoundviewsError(f"cannot read the recipe {path}: {error}") from error
    if not isinstance(page, dict):
        raise SoundviewsError(f"{path} is no recipe: a YAML mapping is expected")
    return page


def _locate(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    path = Path(str(resources.files("soundviews") / "recipes" / "pages")) / f"{name}.yaml"
    if not path.is_file():
        raise SoundviewsError(f"unknown recipe {name!r}: {nearest(name, list_recipes())} (or give a .yaml file)")
    return path


def _resolve(name: str, seen: tuple[str, ...]) -> dict[str, Any]:
    if name in seen:
        raise SoundviewsError(f"recipes refer to each other: {' -> '.join((*seen, name))}")
    page = read_page(_locate(name))
    base = page.pop("base", None)
    if base is not None:
        relative = Path(name).parent / base if name.endswith((".yaml", ".yml")) else Path(base)
        below = _resolve(str(relative) if str(base).endswith((".yaml", ".yml")) else str(base), (*seen, name))
        del below["name"]
        page = _merge(below, page)
    page = _edit_views(page)
    page.setdefault("name", Path(name).stem if name.endswith((".yaml", ".yml")) else name)
    return page


def _edit_views(page: dict[str, Any]) -> dict[str, Any]:
    """`edit_views` gives steps of both branches other options by their name, or leaves them out (null)."""
    edits, views = page.pop("edit_views", None) or {}, dict(page.get("views") or {})
    found = set()
    for branch in ("anchor", "positive") if edits else ():
        names = [step if isinstance(step, str) else next(iter(step)) for step in views[branch]]
        found |= set(names)
        steps = zip(names, views[branch], strict=True)
        kept = [({name: edits[name]} if name in edits else step, edits.get(name, True)) for name, step in steps]
        views[branch] = [step for step, options in kept if options is not None]
    for name in edits:
        if name not in found:
            raise SoundviewsError(f"edit_views names {name!r}, which is no step of this recipe: {nearest(name, found)}")
    return {**page, "views": views} if edits else page


def _merge(base: dict[str, Any], delta: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in delta.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict) and key not in WHOLE:
            value = _merge(merged[key], value)
        elif key in WHOLE and isinstance(value, dict) and set(value) == set(merged.get(key) or {}):
            value = {name: {**(merged[key][name] or {}), **(options or {})} for name, options in value.items()}
        merged[key] = value
    if "epochs" in delta and "steps" not in delta:
        merged.pop("steps", None)
    elif "steps" in delta and "epochs" not in delta:
        merged.pop("epochs", None)
    return merged
