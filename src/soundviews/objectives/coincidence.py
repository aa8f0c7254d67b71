"""Coincidence prediction with its head: ssep, Sec. 3.2, eq. 2."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from soundviews.core.errors import SoundviewsError
from soundviews.objectives.base import Loss, full_precision, objectives, require_pairs

# The hidden layers of so many pairs exist at once: 16 MiB each at 512 float32 units. On a CPU more of them are no
# faster (they leave the cache), and on a GPU this fills the device.
PAIRS_AT_ONCE = 8192


def coincidence_loss(logits: Tensor) -> Tensor:
    """Class-balanced binary cross-entropy of all pairs of a batch: the mean over the coinciding ones plus the mean
    over all others.

    Args:
        logits: (batch, batch); row i is the mixture of clip i, column j the channel of clip j, and the diagonal holds
            the pairs that coincide. A logit is the log-odds that the pair does.

    Returns:
        Scalar, float32 (float64 for float64 input).

    Raises:
        SoundviewsError: for a batch of one example, which has no negatives, or logits that are not square.
    """
    if logits.ndim != 2 or logits.shape[0] != logits.shape[1]:
        raise SoundviewsError(f"pair logits must be (batch, batch), not {tuple(logits.shape)}")
    if len(logits) < 2:
        raise SoundviewsError("coincidence needs at least 2 examples in a batch, not 1: the others are the negatives")
    with torch.autocast(logits.device.type, enabled=False):
        logits = full_precision(logits)
        return F.softplus(-logits.diagonal()).mean() + F.softplus(_others(logits)).mean()


def _others(logits: Tensor) -> Tensor:
    """All but the diagonal: in memory, each row of N + 1 that starts behind a diagonal entry ends in the next one."""
    return logits.flatten()[1:].view(len(logits) - 1, len(logits) + 1)[:, :-1]


@objectives.register("coincidence")
class Coincidence(nn.Module):
    """Coincidence prediction behind a head on [h_m, h_c]: two hidden layers with ReLU and one logit.

    The head tells pairs apart, not examples, so it has no `project`, and there is no z. No pair is ever concatenated:
    the first layer is W_m h_m + W_c h_c, computed once for every h, and the pairs are their sums.
    """

    def __init__(self, embedding_size: int, hidden_size: int = 512) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        self.head = nn.Sequential(
            nn.Linear(2 * embedding_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, 1),
        )

    def logits(self, h_m: Tensor, h_c: Tensor) -> Tensor:
        """h_m (rows, embedding_size), h_c (columns, embedding_size) -> log-odds of every pair, (rows, columns)."""
        (weight, bias), *rest = ((layer.weight, layer.bias) for layer in self.head if isinstance(layer, nn.Linear))
        of_m, of_c = weight.split(self.embedding_size, dim=1)
        first, second = F.linear(h_m, of_m, bias), F.linear(h_c, of_c)
        # Autocast ends with the forward pass, so what backward computes again must not depend on it.
        above = (parameter.to(first.dtype) for layer in rest for parameter in layer)
        logits: Tensor = _PairLogits.apply(first, second, *above)
        return logits

    def forward(self, h_a: Tensor, h_b: Tensor) -> Loss:
        """h_a: embeddings of the mixtures, h_b: of the channels, (batch, embedding_size).

        The metric "accuracy" is the mean of the shares of coinciding and of other pairs that are told right: 0.5 for
        a head that knows nothing.
        """
        require_pairs(h_a, h_b)
        logits = self.logits(h_a, h_b)
        coinciding = logits.detach() > 0
        accuracy = (coinciding.diagonal().float().mean() + 1 - _others(coinciding).float().mean()) / 2
        return Loss(coincidence_loss(logits), {"accuracy": accuracy, "chance": torch.full_like(accuracy, 0.5)})


class _PairLogits(torch.autograd.Function):
    """The head above its first layer, over some rows of pairs at a time; backward computes their hidden layers again.

    Unlike checkpoints of torch.utils, it sums the gradients of all pairs in float32, and allocates nothing that stays
    between one chunk and the next, which would keep a CPU's freed memory from being used again.
    """

    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor, *above: Tensor) -> Tensor:
        ctx.save_for_backward(first, second, *above)
        logits = first.new_empty(len(first), len(second))
        for rows in _chunks(first, second):
            logits[rows] = _above_first_layer(first[rows], second, *above)
        return logits

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        first, *others = (tensor.detach().requires_grad_() for tensor in ctx.saved_tensors)
        sums = [
            torch.zeros_like(x, dtype=torch.promote_types(x.dtype, torch.float32), requires_grad=False)
            for x in (first, *others)
        ]
        for rows in _chunks(first, others[0]):
            with torch.enable_grad():
                some = first[rows]
                logits = _above_first_layer(some, *others)
            of_rows, *of_others = torch.autograd.grad(logits, (some, *others), gradient[rows])
            sums[0][rows] = of_rows
            for total, part in zip(sums[1:], of_others, strict=True):
                total += part
        return tuple(total.to(x.dtype) for total, x in zip(sums, ctx.saved_tensors, strict=True))


def _chunks(first: Tensor, second: Tensor) -> Iterator[slice]:
    """Stretches of rows that make up to PAIRS_AT_ONCE pairs each, at least one row."""
    rows = max(1, PAIRS_AT_ONCE // max(1, len(second)))
    return (slice(start, start + rows) for start in range(0, len(first), rows))


def _above_first_layer(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor, out: Tensor, at: Tensor) -> Tensor:
    """(rows, hidden) and (columns, hidden) of the first layer -> logits (rows, columns)."""
    with torch.autocast(first.device.type, enabled=False):
        pairs = (first[:, None] + second).relu_()
        return F.linear(F.linear(pairs, weight, bias).relu_(), out, at)[..., 0]
