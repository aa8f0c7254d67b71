"""Coincidence prediction over all pairs of a batch against the head applied to concatenated pairs."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks._report import Section, in_own_process, peak_memory, run
from soundviews.objectives import Coincidence, coincidence_loss

SIZE = 128
Measured = tuple[float, float, float, Tensor]


def concatenated(objective: Coincidence, h_m: Tensor, h_c: Tensor) -> Tensor:
    """The loss with one row of N^2 for every pair."""
    n, size = h_m.shape
    pairs = torch.cat([h_m[:, None].expand(n, n, size), h_c[None].expand(n, n, size)], dim=2)
    return coincidence_loss(objective.head(pairs)[..., 0])


METHODS: dict[str, Callable[[Coincidence, Tensor, Tensor], Tensor]] = {
    "soundviews": lambda objective, h_m, h_c: objective(h_m, h_c).value,
    "concatenated": concatenated,
}


def measure(method: str, batch: int, repeats: int) -> Measured:
    """Seconds of the fastest forward and backward pass, GiB of the peak above the start, the loss, all gradients."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    objective = Coincidence(SIZE).to(device)
    h_m, h_c = (torch.randn(batch, SIZE, device=device).requires_grad_() for _ in range(2))
    wanted = [h_m, h_c, *objective.parameters()]
    torch.autograd.grad(METHODS[method](objective, h_m[:2], h_c[:2]), wanted)  # loads the libraries
    before, best = peak_memory(), float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        value = METHODS[method](objective, h_m, h_c)
        gradients = torch.autograd.grad(value, wanted)
        if h_m.is_cuda:
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
        value = value.detach()
    flat = torch.cat([gradient.flatten() for gradient in gradients]).cpu()
    return best, peak_memory() - before, value.item(), flat


def main(miniature: bool = False) -> Section:
    batch, measure_alone = (8, measure) if miniature else (512, partial(in_own_process, measure))
    ours, memory, loss, gradient = measure_alone("soundviews", batch, 3)
    naive, naive_memory, expected, expected_gradient = measure_alone("concatenated", batch, 3)
    difference = float((gradient - expected_gradient).norm() / expected_gradient.norm())
    compared: dict[str, Any] = {"N": batch, "soundviews, s": ours, "soundviews, GiB": memory}
    compared |= {"concatenated, s": naive, "concatenated, GiB": naive_memory}
    share = memory / naive_memory if naive_memory else ""  # a miniature may fit into what the process had already
    compared |= {"times faster": naive / ours, "share of the memory": share}
    compared |= {"relative difference, loss": abs(loss / expected - 1), "gradients": difference}
    large, large_memory, *_ = measure_alone("soundviews", 4 * batch, 1)
    rows: list[dict[str, Any]] = [compared, {"N": 4 * batch, "soundviews, s": large, "soundviews, GiB": large_memory}]
    device = "the GPU" if torch.cuda.is_available() else f"{torch.get_num_threads()} threads"
    return Section(
        "Coincidence prediction",
        rows,
        f"Forward and backward over all N^2 pairs of {SIZE}-d float32 embeddings on {device}; the fastest of 3 passes "
        "(one for the largest N), and the peak of memory above that of the inputs, each in a process of its own.",
    )


if __name__ == "__main__":
    run(main)
