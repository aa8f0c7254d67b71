"""The rows of ssep's Tables 1 to 5 as recipes: what each compares, with which processors, tasks and rate."""

from typing import Any, NamedTuple

import pytest

from soundviews.recipes.loading import load_recipe
from soundviews.recipes.reading import list_recipes
from soundviews.recipes.schema import Recipe

BOTH, SIMCLR, CP = ("nt_xent", "coincidence"), ("nt_xent",), ("coincidence",)
RATES = {BOTH: 1e-4, SIMCLR: 3e-4, CP: 1e-4}  # section 4.2


class Line(NamedTuple):
    """anchor, positive: processors of the branch, none where it takes the mixture."""

    tasks: tuple[str, ...]
    anchor: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    mixture: bool = False
    spec_augment: bool = True
    proximity: bool = True
    size: int = 128


COMBINATIONS = [("S2",), ("S1",), ("F",), ("N",), ("S2", "F"), ("S2", "N"), ("S2", "F", "N")]
LINES = {
    "table1/simclr-sa": Line(SIMCLR, proximity=False),
    "table1/simclr-tp": Line(SIMCLR, spec_augment=False),
    "table1/simclr-tp-sa": Line(SIMCLR),
    "table1/cp-tp-sa": Line(CP),
    "table2/mix-mix": Line(SIMCLR, spec_augment=False),
    "table2/mix-mix-sa": Line(SIMCLR),
    "table2/mix-chan": Line(SIMCLR, positive=("S2",), spec_augment=False),
    "table2/mix-chan-sa": Line(SIMCLR, positive=("S2",)),
    "table2/mix-any-sa": Line(SIMCLR, positive=("S2",), mixture=True),
    "table2/chan-chan-sa": Line(SIMCLR, ("S2",), ("S2",)),
    "table3/mix-mix": Line(CP),
    "table3/mix-chan": Line(CP, positive=("S2",)),
    "table3/chan-chan": Line(CP, ("S2",), ("S2",)),
    **{f"table4/{'-'.join(names).lower()}": Line(SIMCLR, positive=names) for names in COMBINATIONS},
    **{f"table4/{'-'.join(names).lower()}-joint": Line(BOTH, positive=names) for names in COMBINATIONS},
    "table5/d128": Line(BOTH, positive=("S2", "F", "N")),
    "table5/d1024": Line(BOTH, positive=("S2", "F", "N"), size=1024),
}


def test_every_row_is_a_recipe_that_says_which() -> None:
    pages = {name: about for name, about in list_recipes().items() if name.startswith("ssep/table")}
    assert set(pages) == {f"ssep/{name}" for name in LINES}
    for name, about in pages.items():
        assert about.startswith(f"Table {name[len('ssep/table')]}, row "), name
    assert len(set(pages.values())) == len(pages)


@pytest.mark.parametrize("name", LINES)
def test_a_row_is_what_the_table_says(name: str) -> None:
    recipe = load_recipe(f"ssep/{name}")
    assert _line(recipe) == LINES[name]
    assert recipe.evaluation and (recipe.evaluation.protocol, recipe.evaluation.metric) == ("qbe", "mAP")
    tasks = LINES[name].tasks
    assert recipe.training.optimizer == {"adam": {"lr": RATES[tasks]}}


@pytest.mark.parametrize("name", LINES)
def test_a_row_differs_from_ssep_in_that_alone(name: str) -> None:
    recipe, whole = load_recipe(f"ssep/{name}"), load_recipe("ssep")
    for section in ("audio", "features", "statistics", "inference", "evaluation"):
        assert getattr(recipe, section) == getattr(whole, section)
    assert recipe.training.model_copy(update={"optimizer": None}) == whole.training.model_copy(
        update={"optimizer": None}
    )
    of_whole = {task: options for item in whole.objectives for task, options in item.items()}
    assert all(of_whole[task] == options for item in recipe.objectives for task, options in item.items())
    other = {"separate", "patch"}
    steps = [step for step in whole.views.anchor if next(iter(step)) not in other]
    for branch in (recipe.views.anchor, recipe.views.positive):
        kept = [step for step in branch if next(iter(step)) not in other]
        assert kept == (steps if LINES[name].spec_augment else [])


def _line(recipe: Recipe) -> Line:
    anchor, positive = (_options(branch) for branch in (recipe.views.anchor, recipe.views.positive))
    pair = anchor["patch"]["pair"]
    assert pair == positive["patch"]["pair"] and pair in ("same", "random")
    assert list(anchor)[-1] == list(positive)[-1]
    return Line(
        tuple(next(iter(item)) for item in recipe.objectives),
        tuple(anchor.get("separate", {}).get("processors", ())),
        tuple(positive.get("separate", {}).get("processors", ())),
        any(branch.get("separate", {}).get("mixture", False) for branch in (anchor, positive)),
        "spec_augment" in anchor and "time_warp" in anchor,
        pair == "random",
        recipe.encoder["cnn14"]["embedding_size"],
    )


def _options(branch: list[Any]) -> dict[str, Any]:
    return {name: options for step in branch for name, options in step.items()}
