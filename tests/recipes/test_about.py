"""What `soundviews recipes` says of a recipe: true of the recipe, and every figure stands where it says."""

import re
from pathlib import Path

import pytest

from soundviews.recipes.about import FIRST, REACHED, TIMES, Figure, explain_recipe
from soundviews.recipes.loading import load_recipe, load_separator_recipe
from soundviews.recipes.reading import list_recipes

ROOT = Path(__file__).resolve().parents[2]
FIGURES = [(name, figure) for told in (TIMES, REACHED) for name, figure in told.items()]


@pytest.mark.parametrize(("name", "figure"), FIGURES, ids=[f"{name}: {figure.words[:20]}" for name, figure in FIGURES])
def test_figures_stand_in_their_source(name: str, figure: Figure) -> None:
    page = (ROOT / figure.source).read_text()
    assert name in page
    for number in re.findall(r"-?\d+\.\d+|\d+ min", figure.words):
        assert number in page, number


def test_recipes_that_are_explained_are_shipped() -> None:
    assert {*FIRST, *TIMES, *REACHED} <= set(list_recipes())


def test_costs_are_those_of_the_recipe() -> None:
    told = dict(explain_recipe(load_recipe("uclser/small", {"training.steps": 10, "training.accumulate": 2})))
    assert told["sees"] == "1,280 clips: 10 steps of 128 clips"
    assert told["for"] == FIRST["uclser/small"] and "0.547" in told["reached"] and "README.md" in told["takes"]
    by_epochs = dict(explain_recipe(load_recipe("uclser")))
    assert by_epochs["sees"] == "every clip 500 times, 128 clips a step" and "not measured" in by_epochs["reached"]


def test_a_separator_sees_two_clips_in_each_mixture() -> None:
    told = dict(explain_recipe(load_separator_recipe("separator/small")))
    assert told["sees"].startswith("20,000 clips: 2,500 steps of 4 mixtures")
    assert told["keeps"] == "281,905 weights"  # as docs/separation.md says
