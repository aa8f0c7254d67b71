"""From a run to a bundle."""

from pathlib import Path

import torch
from torch import nn

from soundviews.core.component import component
from soundviews.core.components import portable
from soundviews.core.version import __version__
from soundviews.model import Model
from soundviews.model.bundle import save_bundle
from soundviews.model.config import BundleConfig
from soundviews.recipes.objectives import weighted_objectives

from .module import Pretraining


def config_of(module: Pretraining) -> BundleConfig:
    """What a reader of the encoder's weights must know."""
    recipe, (projecting, _) = module.recipe, head_of(module)
    return BundleConfig(
        sample_rate=recipe.audio.sample_rate,
        level=recipe.inference.level,
        fill=recipe.audio.fill,
        features=recipe.features,
        windows=recipe.inference.windows,
        statistics=module.statistics,
        pool=recipe.inference.pool,
        encoder=component(recipe.encoder),
        embedding_size=int(module.encoder.embedding_size),  # type: ignore[arg-type]
        head=next((part for name, _, part in weighted_objectives(recipe.objectives) if name == projecting), None),
        recipe=recipe.name,
        uses=portable(recipe.uses),
        created_by=f"soundviews {__version__}",
    )


def head_of(module: Pretraining) -> tuple[str | None, nn.Module | None]:
    """The first objective that projects h to a z; coincidence prediction does not."""
    return next(((name, head) for name, head in module.objectives.items() if hasattr(head, "project")), (None, None))


def model_of(module: Pretraining) -> Model:
    """The encoder as it is now, ready to be judged; it shares its weights with the training."""
    model = Model(config_of(module), module.encoder, head_of(module)[1], name=module.recipe.name)
    if module.recipe.training.precision == "bf16-mixed":
        model.precision = torch.bfloat16
    return model.to(module.device)


def export(module: Pretraining, directory: Path) -> Path:
    """Write the bundle of a run."""
    return save_bundle(directory, config_of(module), module.encoder, head_of(module)[1])
