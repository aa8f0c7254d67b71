"""Both views of every recipe as a share of its training step."""

import time
from collections.abc import Callable

import torch

from benchmarks._report import record
from soundviews.pretraining.module import Pretraining
from soundviews.recipes.loading import load_recipe
from soundviews.recipes.reading import list_recipes

CLIPS, SECONDS, STEPS = 32, 5, 3


def timed(work: Callable[[], object], device: str) -> tuple[float, object]:
    started = time.perf_counter()
    result = work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started, result


def measure(name: str, device: str) -> dict[str, object]:
    recipe = load_recipe(name)
    module = Pretraining(recipe, STEPS, None).to(device)
    optimizer = module.configure_optimizers()["optimizer"]
    clips = (1 + module.views.backgrounds) * CLIPS
    length = SECONDS * recipe.audio.sample_rate
    samples = torch.randn(clips, length, generator=torch.Generator().manual_seed(0)).mul(0.1).to(device)
    lengths = torch.full((clips,), length, device=device)

    def learn(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
        optimizer.zero_grad()
        h_anchor, h_positive = module.encode(*pair)
        sum(objective(h_anchor, h_positive).value for objective in module.objectives.values()).backward()
        optimizer.step()

    views, rest = [], []
    for step in range(1 + STEPS):
        taken, pair = timed(lambda step=step: module.views(samples, lengths, (0, step, 0)), device)
        views.append(taken)
        rest.append(timed(lambda pair=pair: learn(pair), device)[0])
    view, learning = min(views[1:]), min(rest[1:])
    return {
        "recipe": name,
        "encoder": next(iter(recipe.encoder)),
        "device": device,
        "views, ms": 1000 * view,
        "encoder, loss and update, ms": 1000 * learning,
        "views' share of the step, %": 100 * view / (view + learning),
    }


def main() -> None:
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    record(
        "Views",
        [measure(name, device) for name in list_recipes() if "/" not in name for device in devices],
        f"{CLIPS} clips of {SECONDS} s (and their backgrounds, where a recipe mixes some in), float32, the fastest "
        f"of {STEPS} steps on {torch.get_num_threads()} threads. Aim: under 15 % on a CPU for `cola`.",
    )


if __name__ == "__main__":
    main()
