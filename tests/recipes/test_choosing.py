"""The recipe where nobody names one."""

import subprocess
import sys

import pytest

from soundviews.recipes.choosing import BATCHES, choose_recipe
from soundviews.recipes.loading import load_recipe

HOUR = 3600.0


@pytest.mark.parametrize(
    ("recordings", "seconds", "gpu", "recipe", "steps", "batch"),
    [
        (1200, 1200 * 5.0, False, "uclser/small", 900, 64),
        (2400, 2400 * 5.0, False, "uclser/small", 1800, 64),
        (100_000, 1000 * HOUR, False, "uclser/small", 3600, 64),
        (3, 8 * HOUR, False, "uclser/small", 2160, 64),  # 2,880 clips of ten seconds
        (30, 150.0, False, "uclser/small", 300, 30),
        (1200, 6000.0, True, "uclser", None, 128),
        (90, 900.0, True, "uclser", None, 90),
        (50_000, 140 * HOUR, True, "cola", 100_000, 64),
    ],
)
def test_hours_and_hardware_decide(
    recordings: int, seconds: float, gpu: bool, recipe: str, steps: int | None, batch: int
) -> None:
    choice = choose_recipe(recordings, seconds, gpu)
    training = load_recipe(choice.recipe, choice.overridden(None)).training
    assert (choice.recipe, training.steps, training.batch_size) == (recipe, steps, batch)
    assert f"recipe {recipe}, " in choice.why and f"{batch} clips" in choice.why and "\n" not in choice.why
    assert ("no GPU" in choice.why) == (not gpu)
    assert training.steps is None or training.warmup_steps < training.steps / 4


def test_several_devices_share_the_clips() -> None:
    assert choose_recipe(100, 500.0, False, devices=2).changes["training.batch_size"] == 50
    assert choose_recipe(1200, 6000.0, False, devices=2).changes["training.steps"] == 450


@pytest.mark.parametrize("overrides", [{"training.steps": 7}, ["training.steps=7"]])
def test_what_is_asked_for_comes_after_what_is_chosen(overrides: object) -> None:
    choice = choose_recipe(30, 150.0, False)
    training = load_recipe(choice.recipe, choice.overridden(overrides)).training
    assert (training.steps, training.batch_size) == (7, 30)


def test_batches_are_those_of_the_recipes() -> None:
    assert {name: load_recipe(name).training.batch_size for name in BATCHES} == BATCHES


def test_choosing_needs_no_torch() -> None:
    code = "import sys, soundviews.recipes.choosing\nprint('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False"
