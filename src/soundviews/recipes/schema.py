"""What a recipe's page may say, section by section. No torch here: recipes are listed quickly."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from soundviews.core.registry import nearest


class Section(BaseModel):
    """Part of a page; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid")


class Statistics(Section):
    """Scalar mean and deviation that patches are standardised with, over all bins of the training corpus."""

    mean: float
    std: float


class Windows(Section):
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


class Audio(Section):
    """Rate (Hz); longest clip (s), longer recordings become several; what fills a clip shorter than a snippet."""

    sample_rate: int = Field(ge=1000, le=192000)
    clip_seconds: float = Field(gt=0)
    fill: Literal["repeat", "pad"]


class Views(Section):
    """The two branches: lists of named steps.

    per_objective: whether each objective has draws of its own (ssep), or all share one pair of views.
    """

    anchor: list[Any]
    positive: list[Any]
    per_objective: bool = False


class Inference(Section):
    """How the finished encoder reads clips: level convention and windows."""

    level: Literal["none", "peak", "l2_clip", "l2_window"]
    windows: Windows


class Length(Section):
    """Length (`epochs` or `steps`), batch, optimiser, schedule and numerics of any training.

    schedule: {constant: {}}, {step: {milestones: shares of the training, gamma: }}, {cosine: {}} or
        {exponential: {final: }}.
    """

    epochs: float | None = None
    steps: int | None = None
    batch_size: int = Field(ge=1)
    optimizer: dict[str, dict[str, Any]]
    schedule: dict[str, dict[str, Any]] = {"constant": {}}
    warmup_steps: int = Field(default=0, ge=0)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    gradient_clip: float | None = None
    accumulate: int = Field(default=1, ge=1)
    seed: int = 0
    checkpoint_steps: int = Field(default=500, ge=1)
    keep_every: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_length(self) -> "Length":
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("say either epochs or steps")
        return self


class Training(Length):
    """How an encoder is trained.

    views_together: whether both views pass the encoder in one batch (cola: they share batch statistics) or one
        after the other (uclser: each has its own).
    """

    batch_size: int = Field(ge=2)
    views_together: bool = False


class Evaluation(Section):
    """A protocol run on a labelled corpus every `steps`; `metric` picks best; `keep` becomes the bundle.

    plateau: How many evaluations in a row, the newest included, the mean is over by which best is picked: with
        more than one, a lone lucky evaluation is not (ssep picks from the plateau, section 4.1).
    """

    protocol: str
    metric: str
    steps: int = Field(ge=1)
    plateau: int = Field(default=1, ge=1)
    keep: Literal["last", "best"] = "last"


class Recipe(Section):
    """The resolved page. `encoder` and each of `objectives` are {name: options}."""

    name: str
    about: str = ""
    audio: Audio
    features: dict[str, Any]
    statistics: Literal["corpus"] | Statistics | None = None
    views: Views
    encoder: dict[str, dict[str, Any]]
    objectives: list[dict[str, dict[str, Any]]] = Field(min_length=1)
    training: Training
    inference: Inference
    evaluation: Evaluation | None = None


def explain(error: ValidationError, whole: type[BaseModel]) -> str:
    """What is wrong with a page, and the nearest right key where one is unknown."""
    lines = []
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"])
        hint = ""
        if item["type"] == "extra_forbidden":
            model: Any = whole
            for part in item["loc"][:-1]:
                field = getattr(model, "model_fields", {}).get(part)
                model = field.annotation if field else None
            known = getattr(model, "model_fields", {})
            hint = f"; {nearest(str(item['loc'][-1]), known)}" if known else ""
        said = item["msg"].removeprefix("Value error, ")
        lines.append(f"{place or 'page'}: {said}{hint}")
    return "; ".join(lines)
