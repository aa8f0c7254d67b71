"""MixIT's search through the Gram matrix, forward and backward, against looping over the assignments."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import torch
from torch import Tensor

from benchmarks._report import Section, in_own_process, peak_memory, run
from soundviews.separation import mixit

BATCH, SAMPLE_RATE = 4, 16000
SOURCES = (2, 4, 8, 16)
LARGEST_LOOP = 8  # 65,536 passes over the samples are nobody's afternoon


def losses_of_all(estimates: Tensor, mixtures: Tensor) -> Iterator[Tensor]:
    """The loss (batch,) of one assignment after the other, in the time domain."""
    thresholds = 1e-3 * mixtures.square().sum(2) + 1e-8
    for assignment in product(range(2), repeat=estimates.shape[1]):
        members = torch.tensor([[float(to == i) for to in assignment] for i in range(2)], device=estimates.device)
        yield 10 * torch.log10((mixtures - members @ estimates).square().sum(2) + thresholds).mean(1)


def looped(estimates: Tensor, mixtures: Tensor) -> Tensor:
    """The loss (batch,) as it is usually programmed: the least of all, stacked, each with its graph."""
    return torch.stack(list(losses_of_all(estimates, mixtures))).amin(0)


def looped_twice(estimates: Tensor, mixtures: Tensor) -> Tensor:
    """The same in less time and memory than is usual: the least without graphs, then the graph of that alone."""
    with torch.no_grad():
        chosen = torch.stack(list(losses_of_all(estimates, mixtures))).argmin(0)
    powers = 2 ** torch.arange(estimates.shape[1] - 1, -1, -1, device=estimates.device)
    members = (chosen[:, None, None] // powers % 2 == torch.arange(2, device=estimates.device)[:, None]).float()
    thresholds = 1e-3 * mixtures.square().sum(2) + 1e-8
    return 10 * torch.log10((mixtures - members @ estimates).square().sum(2) + thresholds).mean(1)


LOOPS = {"loop": looped, "frugal loop": looped_twice}


def measure(method: str, sources: int, seconds: float, repeats: int) -> tuple[float, float, list[float]]:
    """Seconds of the fastest forward and backward, GiB of the process's peak above its start, and the losses."""
    losses: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "gram": lambda s, x: mixit(s, x)[0],
        **LOOPS,
    }
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator(device).manual_seed(sources)
    samples = round(seconds * SAMPLE_RATE)
    mixtures = torch.randn(BATCH, 2, samples, device=device, generator=generator)
    noise = torch.randn(BATCH, sources, samples, device=device, generator=generator)
    # As alike as the channels of an untrained separator.
    estimates = (mixtures.sum(1, keepdim=True) / sources + 0.1 * noise).requires_grad_()
    before, best = peak_memory(), float("inf")
    for _ in range(repeats):
        estimates.grad = None
        started = time.perf_counter()
        loss = losses[method](estimates, mixtures)
        loss.mean().backward()
        if estimates.is_cuda:
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return best, peak_memory() - before, loss.tolist()


def main(miniature: bool = False) -> Section:
    seconds, measure_alone = (0.1, measure) if miniature else (10.0, partial(in_own_process, measure))
    rows = []
    for sources in SOURCES[:2] if miniature else SOURCES:
        row: dict[str, float | str] = {"M": sources, "assignments": 2**sources}
        gram, memory, losses = measure_alone("gram", sources, seconds, 10)
        row |= {"soundviews, s": gram, "soundviews, GiB": memory}
        differences = []
        for name in LOOPS if sources <= LARGEST_LOOP else ():
            taken, memory, expected = measure_alone(name, sources, seconds, 2)
            row |= {f"{name}, s": taken, f"{name}, GiB": memory, f"times faster than the {name}": taken / gram}
            differences += [abs(a - b) for a, b in zip(losses, expected, strict=True)]
        if differences:
            row["difference, dB"] = max(differences)
        rows.append(row)
    return Section(
        "MixIT",
        rows,
        f"Loss and gradient of a batch of {BATCH} mixtures of mixtures, {seconds:g} s at 16 kHz; the fastest pass, and "
        "the peak of memory above that of the inputs. The loop is what implementations usually do: the losses of all "
        "assignments, each with its graph, the least of them, backward. The frugal loop takes the losses without "
        "gradient and differentiates only the least.",
    )


if __name__ == "__main__":
    run(main)
