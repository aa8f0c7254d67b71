"""Pages whose parts contradict each other: what cannot be is one error of one line, what is odd is a warning."""

import logging

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.recipes.building import build
from soundviews.recipes.checking import derive_inference
from soundviews.recipes.loading import load_recipe, load_separator_recipe
from soundviews.recipes.reading import list_recipes

UCLSER, COLA = "uclser", "cola"


@pytest.mark.parametrize(
    ("recipe", "overrides", "message"),
    [
        (UCLSER, ["objectives=[nt_xent: {temperature: 0.1}, nt_xent: {temperature: 0.5}]"], "2 .* called 'nt_xent'"),
        (UCLSER, ["objectives=[nt_xent: {weight: -1}]"], "weight is a positive number, not -1"),
        (UCLSER, ["objectives=[nt_xent: {name: a.b}]"], "a name is letters, digits and _, not 'a.b'"),
        (UCLSER, ["objectives=[]"], "objectives: .*at least 1"),
        (UCLSER, ["objectives=[multi_crop: {objective: {nt_xent: {}}}]"], "say views.further"),
        (
            COLA,
            ["objectives=[temporal_gap: {}]", "views.anchor=[time_stretch, crop: {seconds: 1.0}, log_mel]"],
            "'temporal_gap' learns when in a clip views begin",
        ),
        (UCLSER, ["views.further=[[peak_normalize, {patch: {frames: 51}}]]"], "no objective takes views.further"),
        (UCLSER, ["edit_views={patch: {frames: 4}}", "encoder={vgg_like: {}}"], "at least 8 frames, not 4"),
        (UCLSER, ["encoder={cnn14: {mels: 64}}"], "at most 64 mel bands, not 96"),
        (COLA, ["encoder={crnn: {}}"], "at least 80 mel bands, not 64"),
        (UCLSER, ["inference.windows.size=6", "encoder={vgg_like: {}}"], "inference.windows.size.* not 6"),
        (COLA, ["edit_views={crop: {seconds: 0.02}}"], "views.anchor cuts 320 samples, too few for one frame"),
        (UCLSER, ["inference.level=l2_window"], "needs inference.windows.unit waveform"),
        (UCLSER, ["inference.windows.size=-1"], "inference.windows.size: .*greater than or equal to 1"),
        (UCLSER, ["views.anchor=[patch: {frames: 101}, peak_normalize]"], "'peak_normalize' takes clips, but 'patch'"),
        (UCLSER, ["views.anchor=[peak_normalize, separate: {processors: [S2]}, patch: {frames: 101}]"], "first step"),
        (
            UCLSER,
            ["views.anchor=[patch: {frames: 101}, mix_back: {alpha: 0.1}, mix_back: {alpha: 0.2}]"],
            "backgrounds once",
        ),
        (UCLSER, ["training.steps=10", "training={epochs: 3, steps: 10}"], "either epochs or steps"),
        (UCLSER, ["training.steps=-5"], "training.steps: .*greater than or equal to 1"),
        (UCLSER, ["training.batch_size=1"], "training.batch_size: .*greater than or equal to 2"),
        (UCLSER, ["training.optimizer={sgd: {momentm: 0.9}}"], "did you mean 'momentum'"),
        (UCLSER, ["training.schedule={cosin: {}}"], "did you mean 'cosine'"),
        (UCLSER, ["audio.sample_rate=8000"], "4000"),
        (UCLSER, ["encoder={cnn14: {embedding_size: -3}}"], "embedding_size is 1 or more, not -3"),
        (UCLSER, ["encoder={resnet18: {embedding: 3}}"], "no option 'embedding': it has none"),
        (UCLSER, ["statistics={mean: 0, std: 0}"], "std: .*greater than 0"),
        (UCLSER, ["views.further=[[patch: {frames: 51}]]"], "no objective takes views.further"),
        (UCLSER, ["evaluation={protocl: knn, metric: accuracy, steps: 3}"], "did you mean 'protocol'"),
    ],
)
def test_a_page_that_cannot_be_is_one_line(recipe: str, overrides: list[str], message: str) -> None:
    with pytest.raises(SoundviewsError, match=message) as caught:
        load_recipe(recipe, overrides)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("recipe", "overrides", "message"),
    [
        (UCLSER, ["inference.level=none"], "inference.level is none, but its views set peak"),
        (COLA, ["inference.level=peak"], "inference.level is peak, but its views set l2_clip"),
        (UCLSER, ["inference.windows.size=50"], "inference.windows.size is 50, but its views cut 101"),
        (COLA, ["edit_views={crop: {seconds: 0.5}}"], "inference.windows.size is 15680, but its views cut 8000"),
        (COLA, ["inference.windows.crop=8000"], "inference.windows.crop is 8000, but its views cut 16000"),
        (UCLSER, ["inference.windows.unit=waveform"], "unit is waveform, but its views cut the spectrogram"),
        (UCLSER, ["inference.windows.hop=300"], "clips are not heard between windows of 101"),
    ],
)
def test_what_a_page_says_against_its_views_is_warned_of(
    recipe: str, overrides: list[str], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    load_recipe(recipe, overrides)
    assert message in caplog.text and f"recipe '{recipe}'" in caplog.text


@pytest.mark.parametrize("name", [name for name in list_recipes() if not name.startswith("separator")])
def test_no_shipped_recipe_contradicts_itself(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        load_recipe(name)
    assert not caplog.records


def test_inference_follows_from_the_views() -> None:
    def derived(*overrides: str) -> dict:
        recipe = load_recipe("ssep", overrides)
        return recipe.inference.model_dump()

    patches = {"unit": "spectrogram", "size": 96, "hop": 96, "crop": 96, "tail": "drop"}
    assert derived() == {"level": "none", "pool": "mean", "windows": patches}
    crops = "[l2_normalize, crop: {seconds: 0.5}, room: {}, log_mel]"
    snippets = {"unit": "waveform", "size": 8000, "hop": 8000, "crop": 8000, "tail": "drop"}
    assert derived(f"views={{anchor: {crops}, positive: {crops}}}") == {
        "level": "l2_clip",
        "pool": "mean",
        "windows": snippets,
    }
    half = patches | {"hop": 48}
    assert derived("edit_views={patch: {frames: 96}}", "inference.windows.hop=48")["windows"] == half
    longer = {"unit": "waveform", "size": 15600, "hop": 15600, "crop": 15600, "tail": "pad"}
    assert derived("inference.windows={unit: waveform, tail: pad}")["windows"] == longer  # the samples of 96 frames


def test_what_the_page_says_stays_as_it_is() -> None:
    recipe = load_recipe("cola")
    assert recipe.inference.level == "l2_window"
    assert recipe.inference == derive_inference(recipe, build(recipe, weights=False))


def test_a_separators_page_names_what_is_wrong_with_its_optimiser() -> None:
    with pytest.raises(SoundviewsError, match="did you mean 'adam'"):
        load_separator_recipe("separator", {"training.optimizer": {"adm": {}}})
