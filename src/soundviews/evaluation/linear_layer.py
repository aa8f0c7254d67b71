"""A linear classifier and its training without autograd, whose bookkeeping outweighs so small a layer."""

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from soundviews.core.randomness import hashed_seed
from soundviews.evaluation.classification import loss_gradient

SMALL = 2**24  # multiplications in a batch; fewer are done before a second core has been woken


@dataclass(frozen=True)
class LinearClassifier:
    """A linear layer, and the mean and deviation (dim,) each that inputs are standardised with, or None."""

    layer: nn.Linear
    scaling: tuple[Tensor, Tensor] | None = None

    @torch.no_grad()
    def logits(self, vectors: Tensor) -> Tensor:
        """(n, dim) to (n, classes)."""
        if self.scaling is not None:
            vectors = (vectors - self.scaling[0]) / self.scaling[1]
        return self.layer(vectors)

    @torch.no_grad()
    def train_epoch(
        self, optimizer: Any, schedule: Any, vectors: Tensor, windows: Tensor, truth: Tensor, batch_size: int
    ) -> None:
        """One step for each `batch_size` windows, in their order, with the loss of `classification.loss`.

        Args:
            optimizer, schedule: For the layer's parameters, fused.
            vectors: float32 (all windows, dim).
            windows: int64 (n,), rows of `vectors`.
            truth: Their labels, int64 (n,) or float32 (n, classes).
        """
        weight, bias = self.layer.weight, self.layer.bias
        weight.grad, bias.grad = torch.empty_like(weight), torch.empty_like(bias)
        read = torch.empty(batch_size, vectors.shape[1])  # a fresh tensor for each batch costs as much as its reading
        with _one_thread(batch_size * weight.numel() < SMALL):
            for rows, labels in zip(windows.split(batch_size), truth.split(batch_size), strict=True):
                inputs = torch.index_select(vectors, 0, rows, out=read[: len(rows)])
                if self.scaling is not None:
                    inputs.sub_(self.scaling[0]).div_(self.scaling[1])
                gradient = loss_gradient(torch.addmm(bias, inputs, weight.T), labels)
                torch.mm(gradient.T, inputs, out=weight.grad)
                torch.sum(gradient, dim=0, out=bias.grad)
                optimizer.step()
                schedule.step()

    def copy(self) -> "LinearClassifier":
        """As it is now, whatever training follows."""
        return replace(self, layer=copy.deepcopy(self.layer))


def seeded_linear(inputs: int, outputs: int, seed: int) -> nn.Linear:
    """A linear layer with PyTorch's default initialisation drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(hashed_seed("linear layer", seed))
        return nn.Linear(inputs, outputs)


@contextlib.contextmanager
def _one_thread(wanted: bool) -> Iterator[None]:
    """Compute in one thread: where others use the cores, too, threads that wait for each other can take a hundred
    times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if wanted else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
