"""Recipes: every shipped page loads, deltas change what they name, wrong words are named before any audio is read."""

from pathlib import Path

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.recipes.building import build
from soundviews.recipes.loading import load_recipe, load_separator_recipe
from soundviews.recipes.reading import list_recipes


@pytest.mark.parametrize("name", list_recipes())
def test_every_recipe_loads_and_says_what_it_is(name: str) -> None:
    recipe = (load_separator_recipe if name.split("/")[0] == "separator" else load_recipe)(name)
    assert recipe.name == name
    assert recipe.about


def test_a_recipe_is_listed_before_its_variants() -> None:
    names = list(list_recipes())
    assert names == sorted(names)
    assert names[names.index("ssep") + 1] == "ssep/table1/cp-tp-sa"


def test_uclser_is_the_shipped_configuration_of_the_original() -> None:
    recipe = load_recipe("uclser")
    assert recipe.training.optimizer == {"sgd": {"lr": 0.03, "momentum": 0.9, "weight_decay": 1e-4}}
    assert (recipe.training.batch_size, recipe.training.epochs) == (128, 500)
    assert [share * 500 for share in recipe.training.schedule["step"]["milestones"]] == [325, 425]
    assert recipe.views.anchor == recipe.views.positive


def test_a_delta_changes_one_step_of_both_branches() -> None:
    recipe, base = load_recipe("uclser/table1-distance-75"), load_recipe("uclser")
    for branch in (recipe.views.anchor, recipe.views.positive):
        assert branch[1] == {"patch": {"frames": 101, "pair": 75}}
        assert [branch[0], *branch[2:]] == [base.views.anchor[0], *base.views.anchor[2:]]
    without = load_recipe("uclser/table2-no-mix-back").views.anchor
    assert "mix_back" not in str(without) and len(without) == len(base.views.anchor) - 1


def test_an_override_may_edit_the_views_too() -> None:
    recipe = load_recipe("cola", ["edit_views={crop: {seconds: 0.975}, noise: null}"])
    assert recipe.views.anchor == ["l2_normalize", {"crop": {"seconds": 0.975}}, "log_mel"]
    assert recipe.views.positive == recipe.views.anchor
    with pytest.raises(SoundviewsError, match="'crop'"):
        load_recipe("cola", ["edit_views={crp: {seconds: 0.975}}"])


def test_overrides_merge_options_and_replace_other_components() -> None:
    recipe = load_recipe("uclser", ["training.steps=7", "training.optimizer={sgd: {lr: 0.5}}"])
    assert (recipe.training.steps, recipe.training.epochs) == (7, None)
    assert recipe.training.optimizer == {"sgd": {"lr": 0.5, "momentum": 0.9, "weight_decay": 1e-4}}
    replaced = load_recipe("uclser", ["encoder={vgg_like: {}}", "training.optimizer={adam: {lr: 0.001}}"])
    assert replaced.encoder == {"vgg_like": {}} and replaced.training.optimizer == {"adam": {"lr": 0.001}}


def test_numbers_with_exponents_are_numbers(tmp_path: Path) -> None:
    """PyYAML reads 1e-3 as text."""
    assert load_recipe("uclser", ["training.optimizer.sgd.lr=1e-3"]).training.optimizer["sgd"]["lr"] == 0.001
    (tmp_path / "mine.yaml").write_text("base: cola\ntraining: {optimizer: {adam: {lr: 3E-4, eps: 1.0e-7}}}\n")
    assert load_recipe(tmp_path / "mine.yaml").training.optimizer == {"adam": {"lr": 3e-4, "eps": 1e-7}}


@pytest.mark.parametrize("distance", [25, 75, 125, 200, 300, 400])
def test_distances_of_table_1_are_as_large_as_the_clip_allows(distance: int) -> None:
    recipe = load_recipe(f"uclser/table1-distance-{distance}")
    views = build(recipe, weights=False).views
    patches = [branch.steps[1][1] for branch in views.branches]
    last = torch.tensor([0, 10, distance - 1, distance, distance + 1, 1000])
    anchor, positive = (view.starts(last, Randomness(1, 0, 0, branch=number)) for number, view in enumerate(patches))
    torch.testing.assert_close(positive - anchor, last.clamp(max=distance))
    assert (anchor >= 0).all() and (positive <= last).all()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("encoder={resnet81: {}}", "resnet18"),
        ("training.batchsize=4", "batch_size"),
        ("training.optimizer={sgd: {learning_rate: 1}}", "sgd"),
        ("views.anchor=[peak_normalize, patch: {frame: 3}]", "frames"),
        ("views.anchor=[log_mel]", "log_mel"),
        ("objectives=[nt_xend: {}]", "nt_xent"),
        ("features.n_mel=3", "n_mels"),
        ("training.epochs=3", None),
        ("training", "key=value"),
        ("training.steps={", "no YAML"),
    ],
)
def test_a_wrong_word_is_an_error_that_names_the_right_one(override: str, message: str | None) -> None:
    if message is None:
        assert load_recipe("uclser", [override]).training.epochs == 3
        return
    with pytest.raises(SoundviewsError, match=message):
        load_recipe("uclser", [override])


def test_a_key_that_is_no_text_is_an_unknown_one() -> None:
    with pytest.raises(SoundviewsError, match="3: Extra inputs are not permitted"):
        load_recipe("uclser", {3: 1})  # type: ignore[dict-item]


def test_a_file_may_build_on_a_shipped_recipe_or_on_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("base: cola\ntraining: {steps: 5}\n")
    (tmp_path / "mine2.yaml").write_text("base: mine.yaml\ntraining: {batch_size: 8}\n")
    recipe = load_recipe(tmp_path / "mine2.yaml")
    assert (recipe.name, recipe.training.steps, recipe.training.batch_size) == ("mine2", 5, 8)
    (tmp_path / "a.yaml").write_text("base: b.yaml\n")
    (tmp_path / "b.yaml").write_text("base: a.yaml\n")
    with pytest.raises(SoundviewsError, match="refer to each other"):
        load_recipe(tmp_path / "a.yaml")


def test_unknown_recipes_and_unreadable_pages(tmp_path: Path) -> None:
    with pytest.raises(SoundviewsError, match="uclser"):
        load_recipe("uclsr")
    (tmp_path / "bad.yaml").write_text("views: [")
    with pytest.raises(SoundviewsError, match="cannot read"):
        load_recipe(tmp_path / "bad.yaml")


@pytest.mark.parametrize(
    ("overrides", "length"),
    [
        (["training.steps=12", "training.epochs=null"], (12, None)),
        (["training.epochs=null", "training.steps=12"], (12, None)),
        (["training.epochs=2", "training.steps=null"], (None, 2)),
        (["training.steps=null", "training.epochs=2"], (None, 2)),
        ({"training.steps": 12, "training.epochs": None}, (12, None)),
    ],
)
def test_a_null_only_says_which_length_is_not_meant(overrides: object, length: tuple[int | None, float | None]) -> None:
    for name in ("uclser", "cola"):  # which say epochs, and steps
        training = load_recipe(name, overrides).training
        assert (training.steps, training.epochs) == length
