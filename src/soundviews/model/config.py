"""What a bundle's `config.json` says. No torch here."""

from typing import Any, Literal

from pydantic import Field

from soundviews.core.component import Component
from soundviews.recipes.schema import Readout, SampleRate, Section, Statistics, WindowSettings

FORMAT = 1
LARGEST = 1 << 20  # an embedding of so many numbers takes 4 MB for every window


class BundleConfig(Section):
    """Everything needed to turn a waveform into h: written as `config.json`.

    features: options of the front-end; `front_end` names another than log_mel.
    pool: how a clip's windows become one vector, unless one says otherwise.
    weights: what floating-point weights are kept in; read, they are what the modules compute in.
    uses: modules and files that register its components; reading a bundle does not import them.
    """

    format: int = Field(default=FORMAT, ge=1)
    sample_rate: SampleRate
    level: Literal["none", "peak", "l2_clip", "l2_window"]
    fill: Literal["repeat", "pad"]
    features: dict[str, Any]
    windows: WindowSettings
    statistics: Statistics | None
    pool: Readout = "mean"
    encoder: Component
    embedding_size: int = Field(ge=1, le=LARGEST)
    weights: Literal["float32", "float16"] = "float32"
    head: Component | None = None
    recipe: str
    uses: list[str] = Field(default_factory=list)
    created_by: str = ""
