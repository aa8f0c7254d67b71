"""What a scale shortens is what it says, and what comes out can be trained."""

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.recipes.loading import load_recipe, load_separator_recipe
from soundviews.recipes.reading import load_page
from soundviews.reproduction.scale import require_scale, shortened, shortened_options, shortened_separator


def test_steps_are_shorter_by_the_scale_and_batches_by_its_root():
    page = {"training": {"steps": 1000, "batch_size": 64, "warmup_steps": 100}, "audio": {"clip_seconds": 10}}
    changes = shortened(page, 0.25)
    assert changes["training.steps"] == 250 and changes["training.warmup_steps"] == 25
    assert changes["training.batch_size"] == 32 and changes["audio.clip_seconds"] == 5
    assert shortened(page, 1) == {}


@pytest.mark.parametrize("scale", [0.5, 0.01, 1e-6])
@pytest.mark.parametrize("name", ["ssep", "uclser", "cola", "acl"])
def test_a_shortened_recipe_can_be(name, scale):
    recipe = load_recipe(name, shortened(load_page(name), scale))
    assert recipe.training.batch_size >= 4 and recipe.audio.clip_seconds >= 2


@pytest.mark.parametrize("scale", [0.5, 0.01, 1e-6])
def test_the_processors_of_a_shortened_separator_stay_apart(scale):
    recipe = load_separator_recipe("separator", shortened_separator(load_page("separator"), scale))
    steps = [0, recipe.processors["F"], recipe.processors["S1"], recipe.training.steps]
    assert recipe.processors["N"] == 0 and recipe.processors["S2"] == "last"
    assert steps == sorted(set(steps))


def test_protocols_have_fewer_epochs():
    assert shortened_options({"style": "cola", "epochs": 100}, 0.01) == {"style": "cola", "epochs": 10}
    assert shortened_options({"k": 20}, 0.01) == {"k": 20}


@pytest.mark.parametrize("scale", [0, -1, 1.5])
def test_no_other_scale(scale):
    with pytest.raises(SoundviewsError, match="above 0 and at most 1"):
        require_scale(scale)
