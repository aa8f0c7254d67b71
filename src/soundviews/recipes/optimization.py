"""Optimisers and learning-rate schedules by name."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from soundviews.core.component import component
from soundviews.core.registry import Registry

optimizers = Registry("optimizer")
optimizers.register("sgd")(torch.optim.SGD)
optimizers.register("adam")(torch.optim.Adam)
optimizers.register("adamw")(torch.optim.AdamW)

schedules = Registry("schedule")


@schedules.register("constant")
def constant() -> Callable[[float], float]:
    """The learning rate stays."""
    return lambda share: 1.0


@schedules.register("step")
def step(milestones: list[float], gamma: float = 0.1) -> Callable[[float], float]:
    """Multiply by `gamma` at each of `milestones`, given as shares of the training."""
    if any(not 0 <= milestone <= 1 for milestone in milestones):
        raise ValueError(f"milestones are shares of the training between 0 and 1, not {milestones}")
    return lambda share: gamma ** sum(share >= milestone for milestone in milestones)


@schedules.register("cosine")
def cosine(floor: float = 0.0) -> Callable[[float], float]:
    """From 1 to `floor` along half a cosine."""
    return lambda share: floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


@schedules.register("hold")
def hold(decay: float = 0.25) -> Callable[[float], float]:
    """1, and over the last share `decay` of the training straight down to 0.

    Where a training ends can be decided on its way: up to the decay, it is the same for every length.
    """
    if not 0 < decay <= 1:
        raise ValueError(f"decay is a share of the training above 0 and at most 1, not {decay}")
    return lambda share: min(1.0, max(0.0, 1 - share) / decay)


@schedules.register("exponential")
def exponential(final: float) -> Callable[[float], float]:
    """From 1 to `final` by the same factor every step."""
    if not 0 < final <= 1:
        raise ValueError(f"final is a share of the learning rate above 0 and at most 1, not {final}")
    return lambda share: final**share


def create_optimizer(mapping: dict[str, dict[str, Any]], parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """{name: options} over parameters; options are those of torch's own class."""
    named = component(mapping)
    return optimizers.create(named.name, named.options, params=parameters)


def create_schedule(
    mapping: dict[str, dict[str, Any]], optimizer: torch.optim.Optimizer, steps: int, warmup_steps: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """{name: options} over `steps` optimiser steps, after a linear warm-up within them."""
    named = component(mapping)
    factor = schedules.create(named.name, named.options)

    def at(index: int) -> float:
        return min(1.0, (index + 1) / warmup_steps if warmup_steps else 1.0) * factor(index / steps)

    return torch.optim.lr_scheduler.LambdaLR(optimizer, at)
