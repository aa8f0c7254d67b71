"""The pages in docs/reference/ are what the code says now, and leave out no verb, key, component or public name."""

import re

import pytest

import soundviews as sv
from soundviews.cli.app import app, load_verbs
from soundviews.recipes.reading import COMPONENTS
from soundviews.recipes.schema import Recipe, RecipePage
from soundviews.recipes.separator import SeparatorRecipe
from tools.command_line import parameters, verbs
from tools.recipe_keys import KINDS, keys, sections, shipped
from tools.reference import FOLDER, PAGES
from tools.saying import described, say_type, say_value


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_fresh(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "stale: run `make reference`"


def test_every_public_name_has_a_section() -> None:
    page = (FOLDER / "python.md").read_text(encoding="utf-8")
    assert not [name for name in dir(sv) if f"### `sv.{name}`\n" not in page and name != "__version__"]


@pytest.mark.parametrize("page", [RecipePage, SeparatorRecipe])
def test_every_key_is_explained(page: type) -> None:
    missing = [f"{path}.{key.name}" for path, section in sections(page) for key in keys(section) if not key.about]
    assert not missing, "say in the section's docstring what it is"


def test_the_keys_are_those_of_the_page_that_is_checked() -> None:
    assert set(Recipe.model_fields) == {key.name for key in keys(RecipePage)}
    assert {"training", "inference.windows", "views"} <= {path for path, _ in sections(RecipePage)}
    assert set(COMPONENTS) - {"optimizer", "schedule"} <= {*RecipePage.model_fields, *SeparatorRecipe.model_fields}


def test_every_shipped_component_has_a_section() -> None:
    page = (FOLDER / "recipe-keys.md").read_text(encoding="utf-8")
    for _, _, registry, _ in KINDS:
        names = [name for name, _ in shipped(registry)]
        assert names and not [name for name in names if f"### `{name}`\n" not in page]
    assert "`adamw`" in page


def test_every_verb_and_option_says_what_it_is_for() -> None:
    load_verbs()
    for typed, text, verb in verbs(app):
        assert text or verb.__doc__, typed
        arguments, options = parameters(verb)
        assert not [option.name for option in (*arguments, *options) if not option.about], typed


def test_options_are_those_that_are_typed() -> None:
    page = (FOLDER / "command-line.md").read_text(encoding="utf-8")
    section = re.split(r"^## ", page, flags=re.MULTILINE)
    (pretrain,) = [part for part in section if part.startswith("`soundviews pretrain`")]
    assert "`--recipe -r`" in pretrain and "`--set -s`" in pretrain and "`DATA`" in pretrain


def test_types_values_and_docstrings_in_words() -> None:
    assert say_type(list[float] | None) == "list of number" and say_type(int | str) == "integer or text"
    assert [say_value(value) for value in (None, True, (0.5, 1.0), "")] == ["`null`", "`true`", "`[0.5, 1]`", "`''`"]
    about = described("It.\n\n    Args:\n        first, second: Both\n            of them.\n        third: One.\n    ")
    assert about == {"first": "Both of them.", "second": "Both of them.", "third": "One."}
