"""The views of every recipe as a share of its training step."""

import time
import warnings
from collections.abc import Callable
from typing import Any

import torch

from benchmarks._report import Section, encoder_recipes, run
from soundviews.audio.loader import ClipBatch
from soundviews.pretraining.module import Pretraining
from soundviews.recipes.building import build
from soundviews.recipes.loading import load_recipe

FULL, SMALL = (32, 5), (2, 2)  # clips, and seconds of each
STEPS = 3


def timed(work: Callable[[], object], device: str) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - started)


def measure(name: str, miniature: bool, device: str) -> dict[str, object]:
    """A row of the table: the fastest of some steps, after one that is not counted."""
    clips, seconds = SMALL if miniature else FULL
    smaller = ["encoder={vgg_like: {embedding_size: 128}}"] if miniature else []
    recipe = load_recipe(name, [f"training.batch_size={clips}", *smaller])
    module = Pretraining(recipe, build(recipe), STEPS, None).to(device)
    optimizer = module.configure_optimizers()["optimizer"]
    batch = made_up(module, clips, seconds * recipe.audio.sample_rate, device)

    def learn(step: int) -> None:
        optimizer.zero_grad()
        module.training_step(batch, step).backward()
        optimizer.step()

    steps = range(1 + STEPS)
    views = min([timed(lambda step=step: module.make_views(batch, step), device) for step in steps][1:])  # type: ignore[misc]
    whole = min([timed(lambda step=step: learn(step), device) for step in steps][1:])  # type: ignore[misc]
    return {
        "recipe": name,
        "encoder": next(iter(recipe.encoder)),
        "device": device,
        "views, ms": views,
        "whole step, ms": whole,
        "views' share of the step, %": 100 * views / whole,
    }


def made_up(module: Pretraining, clips: int, length: int, device: str) -> ClipBatch:
    """Noise in the place of clips, of their backgrounds and of separated channels."""

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, length, generator=torch.Generator().manual_seed(0)).mul(0.1).to(device)

    examples = (1 + module.views.backgrounds) * clips
    blocks = len(module.draw(0, 0, clips))
    lengths = torch.full((examples,), length, device=device)
    return ClipBatch(torch.arange(examples), noise(examples), lengths, noise(blocks, clips) if blocks else None)


def main(miniature: bool = False) -> Section:
    clips, seconds = SMALL if miniature else FULL
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*self.log.*")  # there is no trainer to log to
        rows: list[dict[str, Any]] = [
            measure(name, miniature, device) for name in encoder_recipes() for device in devices
        ]
    return Section(
        "Views",
        rows,
        f"{clips} clips of {seconds} s (and their backgrounds or separated channels, where a recipe takes some), "
        f"float32, the fastest of {STEPS} steps on {torch.get_num_threads()} threads. Aim: under 15 % on a CPU for "
        "`cola`.",
    )


if __name__ == "__main__":
    run(main)
