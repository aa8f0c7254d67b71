"""From a recipe's words to its modules."""

from typing import NamedTuple

import torch
from torch import nn

from soundviews.core.component import component
from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import hashed_seed
from soundviews.encoders import create_encoder
from soundviews.features import FrontEnd, create_front_end
from soundviews.objectives import objectives
from soundviews.recipes.objectives import weighted_objectives
from soundviews.recipes.schema import RecipePage
from soundviews.views.pipeline import TwoViews


class Parts(NamedTuple):
    """What a recipe names, built. objectives, weights: by the names that the recipe gives the objectives."""

    log_mel: FrontEnd
    views: TwoViews
    encoder: nn.Module
    objectives: nn.ModuleDict
    weights: dict[str, float]


def build(recipe: RecipePage, weights: bool = True) -> Parts:
    """Build every component of a recipe.

    Args:
        weights: False builds the networks without memory or draws, to check names and options only. Otherwise they
            are drawn from the recipe's seed.

    Raises:
        SoundviewsError: for an unknown name or option, or steps that do not fit one another.
    """
    log_mel = create_front_end(recipe.features, recipe.audio.sample_rate)
    views = TwoViews(
        recipe.views.anchor,
        recipe.views.positive,
        recipe.views.further,
        log_mel=log_mel,
        sample_rate=recipe.audio.sample_rate,
        fill=recipe.audio.fill,
    )
    weighted = weighted_objectives(recipe.objectives)
    with torch.random.fork_rng(devices=[]), torch.device("cpu" if weights else "meta"):
        torch.default_generator.manual_seed(hashed_seed(recipe.training.seed, "weights"))
        named = component(recipe.encoder)
        encoder = create_encoder(named.name, **named.options)
        losses = nn.ModuleDict()
        for name, _, part in weighted:
            losses[name] = objectives.create(part.name, part.options, embedding_size=encoder.embedding_size)
    _require_further(recipe, losses)
    _require_positions(recipe, views, losses)
    return Parts(log_mel, views, encoder, losses, {name: weight for name, weight, _ in weighted})


def _require_further(recipe: RecipePage, losses: nn.ModuleDict) -> None:
    """Whether `views.further` is there exactly where an objective takes it."""
    takers = [name for name, objective in losses.items() if getattr(objective, "further", False)]
    if takers and not recipe.views.further:
        raise SoundviewsError(
            f"recipe {recipe.name!r}: objective {takers[0]!r} compares two views with further ones: say views.further, "
            "a list of branches (see multi_crop/small)"
        )
    if recipe.views.further and not takers:
        raise SoundviewsError(
            f"recipe {recipe.name!r}: no objective takes views.further: leave it out, or choose one that does, such as "
            "multi_crop"
        )


def _require_positions(recipe: RecipePage, views: TwoViews, losses: nn.ModuleDict) -> None:
    """Whether it is known when in a clip anchor and positive are, where an objective asks for it."""
    askers = [name for name, objective in losses.items() if getattr(objective, "positions", False)]
    if askers and not all(branch.cutting for branch in views.branches):
        raise SoundviewsError(
            f"recipe {recipe.name!r}: objective {askers[0]!r} learns when in a clip views begin: each branch needs "
            "crop or patch, and before it only steps that leave the time alone, such as levels and separate"
        )
