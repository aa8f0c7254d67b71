"""From a recipe's words to its modules."""

from typing import NamedTuple

import torch
from torch import nn

from soundviews.core.component import component
from soundviews.core.registry import Registry
from soundviews.encoders import create_encoder
from soundviews.features.log_mel import LogMel
from soundviews.objectives import objectives
from soundviews.recipes.optimization import create_optimizer, create_schedule
from soundviews.recipes.schema import Recipe
from soundviews.views.pipeline import TwoViews

front_ends = Registry("front-end")
front_ends.register("log_mel")(LogMel)


class Parts(NamedTuple):
    """What a recipe names, built."""

    log_mel: LogMel
    views: TwoViews
    encoder: nn.Module
    objectives: nn.ModuleDict


def build(recipe: Recipe, weights: bool = True) -> Parts:
    """Build every component of a recipe.

    Args:
        weights: False builds the networks without memory or draws, to check names and options only.

    Raises:
        SoundviewsError: for an unknown name or option, or steps that do not fit one another.
    """
    log_mel = front_ends.create("log_mel", recipe.features, sample_rate=recipe.audio.sample_rate)
    views = TwoViews(
        recipe.views.anchor,
        recipe.views.positive,
        log_mel=log_mel,
        sample_rate=recipe.audio.sample_rate,
        fill=recipe.audio.fill,
    )
    with torch.device("cpu" if weights else "meta"):
        named = component(recipe.encoder)
        encoder = create_encoder(named.name, **named.options)
        losses = nn.ModuleDict()
        for item in recipe.objectives:
            named = component(item)
            losses[named.name] = objectives.create(named.name, named.options, embedding_size=encoder.embedding_size)
        if not weights:
            optimizer = create_optimizer(recipe.training.optimizer, [nn.Parameter(torch.zeros(1))])
            create_schedule(recipe.training.schedule, optimizer, 1, 0)
    return Parts(log_mel, views, encoder, losses)
