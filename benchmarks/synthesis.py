"""Endless synthesised sound for the recipe `base`, as a share of the training step that learns from it."""

import time
import warnings
from collections.abc import Callable
from typing import Any

import torch

from benchmarks._report import Section, run
from soundviews.audio.loader import ClipBatch
from soundviews.pretraining.module import Pretraining
from soundviews.recipes.building import build
from soundviews.recipes.loading import load_recipe
from soundviews.scenes.endless import BATCH, make_clips
from soundviews.scenes.endless_corpus import EndlessOptions

FULL, SMALL = 256, 4  # pairs of a step
ROUNDS = 3


def fastest(work: Callable[[], object], rounds: int) -> float:
    """Seconds on one thread, after one round that is not counted."""
    work()
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


def main(miniature: bool = False) -> Section:
    torch.set_num_threads(1)
    pairs, rounds = (SMALL, 1) if miniature else (FULL, ROUNDS)
    recipe = load_recipe("base", [f"training.batch_size={pairs}"])
    module = Pretraining(recipe, build(recipe), 1, None)
    optimizer = module.configure_optimizers()["optimizer"]
    clips = make_clips(0, range(BATCH))
    frames = module.log_mel(clips[:1]).shape[1]
    log_mels = torch.randn(2, pairs, frames, module.log_mel.n_mels).mul_(20).half()
    batch = ClipBatch(torch.arange(pairs), torch.empty(pairs, 0), torch.zeros(pairs), log_mels=log_mels)

    def learn() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = module.training_step(batch, 0)
        loss.backward()
        optimizer.step()

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*self.log.*")  # there is no trainer to log to
        step = fastest(learn, rounds)
    rendering = fastest(lambda: make_clips(0, range(BATCH)), rounds) / BATCH
    listening = fastest(lambda: [module.log_mel(part) for part in clips.split(8)], rounds) / BATCH
    made = 2 * pairs / EndlessOptions().reads  # clips a step
    row: dict[str, Any] = {
        "rendering, clips/s": 1 / rendering,
        "log-mel, clips/s": 1 / listening,
        "step without them, ms": 1000 * step,
        "both for a step, ms": 1000 * made * (rendering + listening),
        "their share of all, %": 100 * made * (rendering + listening) / (step + made * (rendering + listening)),
    }
    return Section(
        "Synthesis",
        [row],
        f"CPU seconds of one thread: clips of 1.6 s, the fastest of {rounds} rounds; steps of {pairs} pairs by the "
        f"recipe `base`, which hears each pair {EndlessOptions().reads} times. Other processes make "
        "the sounds, so that a training waits for the network alone where there is a core for them. Aim: less than the "
        "step itself, and 250 clips a second.",
    )


if __name__ == "__main__":
    run(main)
