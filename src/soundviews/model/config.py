"""What a bundle's `config.json` says. No torch here."""

from typing import Any, Literal

from pydantic import Field

from soundviews.core.component import Component
from soundviews.recipes.schema import Section, Statistics, WindowSettings

FORMAT = 1


class BundleConfig(Section):
    """Everything needed to turn a waveform into h: written as `config.json`.

    features: options of the front-end; `front_end` names another than log_mel.
    uses: modules and files that register its components; reading a bundle does not import them.
    """

    format: int = FORMAT
    sample_rate: int
    level: Literal["none", "peak", "l2_clip", "l2_window"]
    fill: Literal["repeat", "pad"]
    features: dict[str, Any]
    windows: WindowSettings
    statistics: Statistics | None
    encoder: Component
    embedding_size: int
    head: Component | None = None
    recipe: str
    uses: list[str] = Field(default_factory=list)
    created_by: str = ""
