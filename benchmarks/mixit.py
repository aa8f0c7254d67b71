"""MixIT's search through the Gram matrix, forward and backward, against looping over the assignments.

`python benchmarks/mixit.py --seconds 1` is a short form that prints the table without recording it.
"""

import argparse
import resource
import time
from collections.abc import Callable
from itertools import product
from multiprocessing import get_context

import torch
from torch import Tensor

from _report import record
from soundviews.separation import mixit

BATCH, SAMPLE_RATE, FULL = 4, 16000, 10.0
SOURCES = (2, 4, 8, 16)
LARGEST_LOOP = 8  # 65,536 passes over the samples are nobody's afternoon


def looped(estimates: Tensor, mixtures: Tensor) -> Tensor:
    """The loss (batch,) by trying every assignment in the time domain; memory is that of one assignment at a time."""
    thresholds = 1e-3 * mixtures.square().sum(2) + 1e-8

    def loss(assignment: tuple[int, ...]) -> Tensor:
        members = torch.tensor([[float(to == i) for to in assignment] for i in range(2)], device=estimates.device)
        return 10 * torch.log10((mixtures - members @ estimates).square().sum(2) + thresholds).mean(1)

    assignments = list(product(range(2), repeat=estimates.shape[1]))
    with torch.no_grad():
        losses = torch.stack([loss(assignment) for assignment in assignments])
    chosen = losses.argmin(0).tolist()
    return torch.stack([loss(assignments[index])[row] for row, index in enumerate(chosen)])


def in_own_process(*arguments: str | float) -> tuple[float, float, list[float]]:
    """`measure` by itself, because a process's peak of memory is never taken back."""
    with get_context("fork").Pool(1) as pool:
        return pool.apply(measure, arguments)


def measure(method: str, sources: int, seconds: float, repeats: int) -> tuple[float, float, list[float]]:
    """Seconds of the fastest forward and backward, GiB of the process's peak above its start, and the losses."""
    losses: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"gram": lambda s, x: mixit(s, x)[0], "loop": looped}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator(device).manual_seed(sources)
    samples = round(seconds * SAMPLE_RATE)
    mixtures = torch.randn(BATCH, 2, samples, device=device, generator=generator)
    noise = torch.randn(BATCH, sources, samples, device=device, generator=generator)
    # As alike as the channels of an untrained separator.
    estimates = (mixtures.sum(1, keepdim=True) / sources + 0.1 * noise).requires_grad_()
    before, best = _peak(), float("inf")
    for _ in range(repeats):
        estimates.grad = None
        started = time.perf_counter()
        loss = losses[method](estimates, mixtures)
        loss.mean().backward()
        if estimates.is_cuda:
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return best, _peak() - before, loss.tolist()


def _peak() -> float:
    """GiB: of the device where there is one, else of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=FULL)
    seconds = parser.parse_args().seconds
    rows = []
    for sources in SOURCES:
        row: dict[str, float | str] = {"M": sources, "assignments": 2**sources}
        gram, memory, losses = in_own_process("gram", sources, seconds, 10)
        row |= {"soundviews, s": gram, "soundviews, GiB": memory}
        if sources <= LARGEST_LOOP:
            loop, memory, expected = in_own_process("loop", sources, seconds, 2)
            difference = max(abs(a - b) for a, b in zip(losses, expected, strict=True))
            row |= {"loop, s": loop, "loop, GiB": memory, "times faster": loop / gram, "difference, dB": difference}
        rows.append(row)
    if seconds != FULL:
        print(*rows, sep="\n")
        return
    record(
        "MixIT",
        rows,
        f"Loss and gradient of a batch of {BATCH} mixtures of mixtures, {FULL:g} s at 16 kHz; the fastest pass, and "
        "the peak of memory above that of the inputs. The loop takes its losses without gradient and "
        "differentiates the best, which is kinder to it than differentiating all.",
    )


if __name__ == "__main__":
    main()
