"""A recipe, read and checked: every name in it is built once, so that a wrong one fails before any audio is read."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from soundviews.core.component import component
from soundviews.core.errors import SoundviewsError
from soundviews.recipes.reading import load_page
from soundviews.recipes.schema import Recipe, explain
from soundviews.recipes.separator import FEWEST_SOURCES, MOST_SOURCES, SeparatorRecipe


def load_recipe(name_or_path: str | Path, overrides: list[str] | None = None) -> Recipe:
    """Read a shipped recipe by name or a YAML file, apply its base and overrides, and check every name in it.

    Args:
        name_or_path: `uclser`, `cola`, or the path of a .yaml file.
        overrides: `section.key=value` with YAML values, e.g. `training.steps=1000`.

    Raises:
        SoundviewsError: unknown recipe, key, component or option, before any audio is read.
    """
    page = load_page(name_or_path, overrides)
    if "separator" in page:
        raise SoundviewsError(f"{name_or_path} trains a separator: soundviews separate train --recipe {name_or_path}")
    return check(page)


def check(page: dict[str, Any]) -> Recipe:
    """Validate a page and build its components once, so that a wrong name fails here."""
    try:
        recipe = Recipe.model_validate(page)
    except ValidationError as error:
        raise SoundviewsError(f"recipe {page.get('name', '')!r}: " + explain(error, Recipe)) from error
    from soundviews.recipes.building import build  # the components import torch; listing recipes does not

    build(recipe, weights=False)
    return recipe


def load_separator_recipe(name_or_path: str | Path, overrides: list[str] | None = None) -> SeparatorRecipe:
    """Read a separator's recipe by name or path, apply its base and the overrides, and check every name in it.

    Raises:
        SoundviewsError: unknown recipe, key or option, or one that cannot be, before any audio is read.
    """
    page = load_page(name_or_path, overrides)
    if "encoder" in page:
        raise SoundviewsError(f"{name_or_path} trains an encoder: soundviews pretrain --recipe {name_or_path}")
    return check_separator(page)


def check_separator(page: dict[str, Any]) -> SeparatorRecipe:
    """Validate a page and build its network without memory, so that a wrong name fails here."""
    try:
        recipe = SeparatorRecipe.model_validate(page)
    except ValidationError as error:
        raise SoundviewsError(f"recipe {page.get('name', '')!r}: " + explain(error, SeparatorRecipe)) from error
    import torch  # listing recipes does not need it

    from soundviews.separation.processor import separators

    named = component(recipe.separator)
    with torch.device("meta"):
        network = separators.create(named.name, named.options)
    if not FEWEST_SOURCES <= network.sources <= MOST_SOURCES:
        raise SoundviewsError(
            f"{network.sources} sources make no sense here: two mixtures need at least {FEWEST_SOURCES}, and the exact "
            f"search goes over 2^sources assignments, at most {MOST_SOURCES} sources"
        )
    return recipe
