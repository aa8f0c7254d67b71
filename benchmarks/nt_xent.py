"""NT-Xent, forward and backward, against lightly's."""

import time
from collections.abc import Callable

import torch
from lightly.loss import NTXentLoss
from torch import Tensor

from benchmarks._report import Section, run
from soundviews.objectives import nt_xent

SIZE, TEMPERATURE = 512, 0.2
BATCHES = (64, 128, 512, 1024, 2048)


def step(loss: Callable[[Tensor, Tensor], Tensor], z_a: Tensor, z_b: Tensor) -> tuple[float, Tensor]:
    """Seconds of one forward and backward pass, and the loss."""
    z_a.grad = z_b.grad = None
    started = time.perf_counter()
    value = loss(z_a, z_b)
    value.backward()
    if z_a.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - started, value.detach()


def main(miniature: bool = False) -> Section:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    theirs = NTXentLoss(temperature=TEMPERATURE)
    losses: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "soundviews": lambda a, b: nt_xent(a, b, TEMPERATURE),
        "lightly": theirs,
    }
    rows = []
    for batch in BATCHES[:1] if miniature else BATCHES:
        generator = torch.Generator(device).manual_seed(0)
        z_a, z_b = (torch.randn(batch, SIZE, device=device, generator=generator).requires_grad_() for _ in range(2))
        best, values = dict.fromkeys(losses, float("inf")), {}
        for repeat in range(22):  # taken in turns, so that a busy moment of the machine meets both
            for name, loss in losses.items():
                seconds, values[name] = step(loss, z_a, z_b)
                if repeat >= 2:  # warm-up
                    best[name] = min(best[name], seconds)
        difference = (values["soundviews"] - values["lightly"]).abs().item()
        rows.append(
            {"N": batch}
            | {f"{name}, ms": 1e3 * seconds for name, seconds in best.items()}
            | {"ratio": best["soundviews"] / best["lightly"], "difference of the losses": difference}
        )
    return Section(
        "NT-Xent",
        rows,
        f"Forward and backward over N pairs of {SIZE}-d float32 projections on {device}; the fastest of 20 passes.",
    )


if __name__ == "__main__":
    run(main)
