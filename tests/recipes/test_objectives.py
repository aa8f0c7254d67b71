"""Objectives have names and weights."""

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.recipes.building import build
from soundviews.recipes.loading import load_recipe
from soundviews.recipes.objectives import weighted_objectives


def test_weight_and_name_are_taken_off_before_the_constructor() -> None:
    near, far = weighted_objectives([{"nt_xent": {"weight": 2, "name": "near", "temperature": 0.3}}, {"byol": None}])
    assert (near.name, near.weight, near.part.name, near.part.options) == ("near", 2.0, "nt_xent", {"temperature": 0.3})
    assert (far.name, far.weight, far.part.name, far.part.options) == ("byol", 1.0, "byol", {})


def test_two_of_one_kind_live_beside_each_other() -> None:
    page = "objectives=[nt_xent: {temperature: 0.1}, nt_xent: {name: soft, weight: 0.5, temperature: 1.0}]"
    parts = build(load_recipe("uclser/small", [page]))
    assert list(parts.objectives) == ["nt_xent", "soft"] and parts.weights == {"nt_xent": 1.0, "soft": 0.5}
    assert [objective.temperature for objective in parts.objectives.values()] == [0.1, 1.0]


@pytest.mark.parametrize("weight", [0, -1, True, "much", float("inf")])
def test_a_weight_is_a_positive_number(weight: object) -> None:
    with pytest.raises(SoundviewsError, match="positive number"):
        weighted_objectives([{"nt_xent": {"weight": weight}}])


def test_weights_are_drawn_from_the_seed_and_leave_the_random_state_alone() -> None:
    recipe, other = load_recipe("demo"), load_recipe("demo", ["training.seed=1"])
    before = torch.get_rng_state()
    first, again, third = (next(build(page).encoder.parameters()) for page in (recipe, recipe, other))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, again) and not torch.equal(first, third)
