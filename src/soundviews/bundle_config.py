"""What a bundle's `config.json` says. No torch here: recipes share these sections and must list quickly."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

FORMAT = 1


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Component(_Strict):
    """A registered component by name and its constructor's options."""

    name: str
    options: dict[str, Any] = {}


class Statistics(_Strict):
    """Scalar mean and deviation that patches are standardised with, over all bins of the training corpus."""

    mean: float
    std: float


class Windows(_Strict):
    """How a clip is cut for the frozen encoder.

    unit: "spectrogram" slices the whole clip's log-mel (sizes in frames; uclser), "waveform" cuts the waveform and
        computes each window's log-mel by itself (sizes in samples; cola).
    size, hop: of the windows of evaluation and embedding. crop: of the random crops of supervised training.
    tail: whether the last, incomplete window is dropped or padded. A clip shorter than a window gives one window.
    """

    unit: Literal["spectrogram", "waveform"]
    size: int
    hop: int
    crop: int
    tail: Literal["drop", "pad"]


class BundleConfig(_Strict):
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
