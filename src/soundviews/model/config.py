"""What a bundle's `config.json` says. No torch here."""

from typing import Any, Literal

from soundviews.core.component import Component
from soundviews.recipes.schema import Section, Statistics, Windows

FORMAT = 1


class BundleConfig(Section):
    """Everything needed to turn a waveform into h: written as `config.json`."""

    format: int = FORMAT
    sample_rate: int
    level: Literal["none", "peak", "l2_clip", "l2_window"]
    fill: Literal["repeat", "pad"]
    features: dict[str, Any]
    windows: Windows
    statistics: Statistics | None
    encoder: Component
    embedding_size: int
    head: Component | None = None
    recipe: str
    created_by: str = ""
