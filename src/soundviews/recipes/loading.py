"""A recipe, read and checked: every name in it is built once, so that a wrong one fails before any audio is read."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from soundviews.core.component import component
from soundviews.core.components import naming_uses
from soundviews.core.components import use as import_modules
from soundviews.core.errors import SoundviewsError, brief, words
from soundviews.recipes.reading import Overrides, Source, load_page
from soundviews.recipes.schema import Recipe, RecipePage, explain
from soundviews.recipes.separator import FEWEST_SOURCES, MOST_SOURCES, SeparatorRecipe


def load_recipe(source: Source, overrides: Overrides = None, use: Iterable[str | Path] = ()) -> Recipe:
    """Read a recipe, apply its base and the overrides, import what it uses, and check that what it says can be.

    Args:
        source: `uclser`, `cola`, ..., the path of a .yaml file, a page as a dict, or a Recipe.
        overrides: `{"training.steps": 1000}`, or `["training.steps=1000"]` with YAML values.
        use: Modules and .py files that register components, beside those that the page `uses`.

    Raises:
        SoundviewsError: unknown recipe, key, component or option, or parts that do not fit one another, before any
            audio is read.
    """
    used = import_modules(use)
    if isinstance(source, Recipe) and not overrides and not used:
        return source
    page = load_page(source, overrides)
    page["uses"] = list(dict.fromkeys([*page.get("uses", ()), *used]))
    if "separator" in page:
        name = page["name"]
        instead = words(f"soundviews separate train --recipe {name}", "soundviews.train_separator")
        raise SoundviewsError(f"{name} trains a separator: {instead}")
    import_modules(page["uses"])
    return check(page)


def check(page: dict[str, Any]) -> Recipe:
    """A resolved page as a recipe: validated, its components built once without memory, `inference` derived.

    It imports nothing that the page uses: the page may be one that a run brought along.
    """
    try:
        read = RecipePage.model_validate(page)
    except ValidationError as error:
        raise SoundviewsError(f"recipe {brief(page.get('name', ''))}: " + explain(error, RecipePage)) from error
    from soundviews.recipes.building import build  # the components import torch; listing recipes does not
    from soundviews.recipes.checking import derive_inference, require_fit, require_optimizer

    with naming_uses(read.uses, f"recipe {read.name!r}"):
        parts = build(read, weights=False)
    require_optimizer(read.training)
    inference = derive_inference(read, parts)
    recipe = Recipe.model_validate(read.model_dump() | {"inference": inference})
    require_fit(recipe, parts)
    return recipe


def load_separator_recipe(source: Source, overrides: Overrides = None) -> SeparatorRecipe:
    """Read a separator's recipe, apply its base and the overrides, and check every name in it.

    Args:
        source, overrides: As for `load_recipe`.

    Raises:
        SoundviewsError: unknown recipe, key or option, or one that cannot be, before any audio is read.
    """
    if isinstance(source, SeparatorRecipe) and not overrides:
        return source
    page = load_page(source, overrides)
    if "encoder" in page:
        name = page["name"]
        instead = words(f"soundviews pretrain --recipe {name}", "soundviews.pretrain")
        raise SoundviewsError(f"{name} trains an encoder: {instead}")
    return check_separator(page)


def check_separator(page: dict[str, Any]) -> SeparatorRecipe:
    """Validate a page and build its network without memory, so that a wrong name fails here."""
    try:
        recipe = SeparatorRecipe.model_validate(page)
    except ValidationError as error:
        raise SoundviewsError(f"recipe {brief(page.get('name', ''))}: " + explain(error, SeparatorRecipe)) from error
    import torch  # listing recipes does not need it

    from soundviews.recipes.checking import require_optimizer
    from soundviews.separation.processor import separators

    require_optimizer(recipe.training)
    named = component(recipe.separator)
    with torch.device("meta"):
        network = separators.create(named.name, named.options)
    if not FEWEST_SOURCES <= network.sources <= MOST_SOURCES:
        raise SoundviewsError(
            f"{network.sources} sources make no sense here: two mixtures need at least {FEWEST_SOURCES}, and the exact "
            f"search goes over 2^sources assignments, at most {MOST_SOURCES} sources"
        )
    return recipe
