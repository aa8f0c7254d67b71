"""What an objective is, and what they share: the registry, the loss they return, in-batch contrast over pair logits.

To add an objective: a file in this folder with a torch module that is registered under the name that recipes call it
by. Its options are its constructor's arguments, beside `embedding_size`. Nothing else is needed than

    forward(h_a, h_b) -> Loss     h: (batch, embedding_size), the embeddings of two views; row i of both is one example

and these, where it wants them:

    project(h) -> z               the projection, which a bundle keeps with the encoder
    head, momentum(share)         a copy of encoder and `head` is kept whose weights are an exponential moving average,
                                  by this momentum after each optimiser step; `share` of the training is done by then.
                                  forward(h_a, h_b, averaged=(z_a, z_b)) is given what the copy makes of the two views
    positions = True              forward(h_a, h_b, positions=(a, b)) is given when in its clip each view begins, s
    further = True                forward(h_a, h_b, *further) is given the embeddings of the recipe's `views.further`

What an objective remembers from step to step, such as a queue of negatives, it keeps in buffers (`register_buffer`),
which `forward` changes in place after it has computed with a clone: they are in the checkpoint, and a resumed training
goes on with them. In a training on several devices the first one's buffers hold for all, as those of batch norm.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import Registry

objectives = Registry("objective")


class Loss(NamedTuple):
    """value: the scalar to minimise; metrics: detached scalars to log, "accuracy" among them, and "chance", the
    accuracy of a network that knows nothing."""

    value: Tensor
    metrics: dict[str, Tensor]


def require_same_shape(a: Tensor, b: Tensor) -> None:
    """Refuse two views that do not pair up."""
    if a.ndim != 2 or a.shape != b.shape:
        raise SoundviewsError(
            f"both views must be (batch, size) and of one shape, not {tuple(a.shape)} and {tuple(b.shape)}"
        )


def require_pairs(a: Tensor, b: Tensor) -> None:
    """Refuse a batch that has no negatives, or two views that do not pair up."""
    require_same_shape(a, b)
    if len(a) < 2:
        raise SoundviewsError(
            f"a contrastive objective needs at least 2 examples in a batch, not {len(a)}: the others are the negatives"
        )


def require_temperature(temperature: float) -> None:
    if not temperature > 0:
        raise SoundviewsError(f"temperature must be positive, not {temperature}")


def full_precision(x: Tensor) -> Tensor:
    """float32 for what mixed precision made 16 bits wide; float32 and float64 stay."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def in_batch_contrast(logits: Tensor, targets: Tensor) -> Loss:
    """Cross-entropy of each row against the column of its positive.

    Args:
        logits: (rows, columns) similarities; -inf takes a column out of the denominator.
        targets: int64 (rows,).
    """
    accuracy = (logits.detach().argmax(1) == targets).to(logits.dtype).mean()
    chance = (logits.detach() != -torch.inf).to(logits.dtype).sum(1).reciprocal().mean()
    return Loss(F.cross_entropy(logits, targets), {"accuracy": accuracy, "chance": chance})


def paired_contrast(logits: Tensor, symmetric: bool) -> Loss:
    """In-batch contrast of anchors (rows) against positives (columns) of the same index.

    symmetric: whether positives are told apart by their anchors too; the mean of both directions then.
    """
    targets = torch.arange(len(logits), device=logits.device)
    loss = in_batch_contrast(logits, targets)
    if not symmetric:
        return loss
    other = in_batch_contrast(logits.T, targets)
    accuracy = (loss.metrics["accuracy"] + other.metrics["accuracy"]) / 2
    return Loss((loss.value + other.value) / 2, {"accuracy": accuracy, "chance": loss.metrics["chance"]})
