"""The rows of acl's Tables 1 and 2 as recipes: which blocks the positive passes, in which order, and what all share."""

import pytest

from soundviews.recipes.loading import load_recipe

START, CUT = ["l2_normalize"], ["crop"]
ROWS = {
    "acl/noise": [*START, *CUT, "log_mel"],
    "acl/stretch": [*START, "time_stretch", *CUT, "log_mel"],
    "acl/room": [*START, *CUT, "room", "log_mel"],
    "acl/masking": [*START, *CUT, "log_mel", "spec_augment"],
    "acl": [*START, "time_stretch", *CUT, "log_mel", "spec_augment"],
    "acl/all": [*START, "time_stretch", *CUT, "room", "log_mel", "spec_augment"],
}


def names(steps: list) -> list[str]:
    return [step if isinstance(step, str) else next(iter(step)) for step in steps]


@pytest.mark.parametrize("name", ROWS)
def test_the_positive_passes_the_rows_blocks_and_the_anchor_gets_noise(name: str) -> None:
    recipe = load_recipe(name)
    assert names(recipe.views.positive) == ROWS[name]
    assert names(recipe.views.anchor) == ["l2_normalize", "crop", "noise", "log_mel"]


@pytest.mark.parametrize("name", ROWS)
def test_encoder_head_and_optimiser_are_the_papers(name: str) -> None:
    recipe = load_recipe(name)
    assert list(recipe.encoder) == ["efficientnet_b0"]
    assert recipe.objectives == [{"bilinear": {"projection_size": 512}}]
    assert recipe.training.optimizer == {"adam": {"lr": 1e-3}}
    assert recipe.training.batch_size == 128
    assert recipe.training.views_together


@pytest.mark.parametrize("name", ROWS)
def test_snippets_have_96_frames_of_64_bands_in_training_and_in_use(name: str) -> None:
    recipe = load_recipe(name)
    (seconds,) = {
        step["crop"]["seconds"] for step in recipe.views.positive if isinstance(step, dict) and "crop" in step
    }
    samples = round(seconds * recipe.audio.sample_rate)
    frames = 1 + (samples - recipe.features["window_length"]) // recipe.features["hop_length"]
    assert (frames, recipe.features["n_mels"]) == (96, 64)
    assert {recipe.inference.windows.size, recipe.inference.windows.hop, recipe.inference.windows.crop} == {samples}


def test_noise_on_the_positive_is_the_other_reading() -> None:
    recipe = load_recipe("acl/noise-on-positive")
    assert "noise" in names(recipe.views.positive) and "noise" not in names(recipe.views.anchor)


@pytest.mark.parametrize("row", ["noise", "stretch", "room", "masking"])
def test_small_rows_differ_from_the_large_ones_in_size_only(row: str) -> None:
    small, large = load_recipe(f"acl/small/{row}"), load_recipe(f"acl/{row}")
    assert small.views == large.views and small.inference == large.inference and small.features == large.features
    assert load_recipe("acl/small").views == load_recipe("acl").views
