"""A small model with cola's front-end and windows."""

import pytest

from soundviews.core.component import Component
from soundviews.encoders import create_encoder
from soundviews.model import Model
from soundviews.model.config import BundleConfig
from soundviews.recipes.loading import load_recipe


@pytest.fixture
def cola() -> Model:
    recipe = load_recipe("cola")
    config = BundleConfig(
        sample_rate=recipe.audio.sample_rate,
        level=recipe.inference.level,
        fill=recipe.audio.fill,
        features=recipe.features,
        windows=recipe.inference.windows,
        statistics=None,
        encoder=Component(name="vgg_like", options={"embedding_size": 8}),
        embedding_size=8,
        recipe="cola",
    )
    return Model(config, create_encoder("vgg_like", embedding_size=8), name="small", fingerprint="f")
