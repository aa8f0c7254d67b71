"""What a recipe's page may say, section by section. No torch here: recipes are listed quickly."""

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from soundviews.core.registry import nearest


class Section(BaseModel):
    """Part of a page; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid")


class Statistics(Section):
    """Scalar mean and deviation that patches are standardised with, over all bins of the training corpus.

    mean, std: in the unit of the patches.
    """

    mean: float
    std: float = Field(gt=0)


Unit = Literal["spectrogram", "waveform"]
Tail = Literal["drop", "pad"]
Level = Literal["none", "peak", "l2_clip", "l2_window"]


class StatedWindows(Section):
    """How a clip is cut for the frozen encoder; what a page leaves out follows from its views.

    unit: "spectrogram" slices the whole clip's log-mel (sizes in frames; uclser), "waveform" cuts the waveform and
        computes each window's log-mel by itself (sizes in samples; cola).
    size, hop: of the windows of evaluation and embedding.
    crop: of the random crops of supervised training.
    tail: whether the last, incomplete window is dropped or padded. A clip shorter than a window gives one window.
    """

    unit: Unit | None = None
    size: int | None = Field(default=None, ge=1)
    hop: int | None = Field(default=None, ge=1)
    crop: int | None = Field(default=None, ge=1)
    tail: Tail | None = None


class WindowSettings(StatedWindows):
    """`StatedWindows` with everything that the page leaves out."""

    unit: Unit
    size: int = Field(ge=1)
    hop: int = Field(ge=1)
    crop: int = Field(ge=1)
    tail: Tail


class StatedInference(Section):
    """How the finished encoder reads clips; what a page leaves out follows from its views.

    level: what a clip, or with "l2_window" each window, is divided by.
    """

    level: Level | None = None
    windows: StatedWindows = StatedWindows()


class Inference(StatedInference):
    """`StatedInference` with everything that the page leaves out."""

    level: Level
    windows: WindowSettings


class EncoderAudio(Section):
    """What recordings become.

    sample_rate: Hz; recordings of other rates are resampled.
    clip_seconds: the longest clip, s; longer recordings become several.
    fill: what fills a clip that is shorter than a snippet: the clip again, or silence.
    """

    sample_rate: int = Field(ge=1000, le=192000)
    clip_seconds: float = Field(gt=0)
    fill: Literal["repeat", "pad"]


class Views(Section):
    """The branches: lists of named steps.

    anchor, positive: the steps of the two views, each a name or {name: options}.
    further: branches of their own, for objectives that take more than two views.
    per_objective: whether each objective has draws of its own (ssep), or all share one pair of views.
    """

    anchor: list[Any]
    positive: list[Any]
    further: list[list[Any]] = []
    per_objective: bool = False


class Length(Section):
    """Length (`epochs` or `steps`), batch, optimiser, schedule and numerics of any training.

    epochs: passes over the corpus; either these or `steps`.
    steps: updates of the weights; either these or `epochs`.
    batch_size: examples of a batch.
    optimizer: {name: options}, as in {sgd: {lr: 0.03}}.
    schedule: {constant: {}}, {step: {milestones: shares of the training, gamma: }}, {cosine: {}} or
        {exponential: {final: }}.
    warmup_steps: steps over which the learning rate rises to its value, within the training.
    precision: of the computation; "bf16-mixed" is faster on GPUs and on CPUs that know bfloat16.
    gradient_clip: largest norm of the gradient.
    accumulate: batches whose gradients are added up for one step.
    seed: draws weights, order, crops and all else that is random.
    checkpoint_steps: an interrupted training goes on from the last multiple of so many steps.
    keep_every: steps from one checkpoint that stays to the next; null: only the last stays.
    """

    epochs: float | None = Field(default=None, gt=0)
    steps: int | None = Field(default=None, ge=1)
    batch_size: int = Field(ge=1)
    optimizer: dict[str, dict[str, Any]]
    schedule: dict[str, dict[str, Any]] = {"constant": {}}
    warmup_steps: int = Field(default=0, ge=0)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    gradient_clip: float | None = Field(default=None, gt=0)
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
    held_out: Share of the recordings, at most 200 of them, that are left out of the training for the check at its end.
        With 0 the encoder learns from all, and is checked on some of those.
    """

    batch_size: int = Field(ge=2)
    views_together: bool = False
    held_out: float = Field(default=0.0, ge=0, le=0.5)


class Evaluation(Section):
    """A protocol run on a labelled corpus every `steps`; `metric` picks best; `keep` becomes the bundle.

    protocol: as `evaluate` takes it.
    metric: the figure that tells which step is best.
    steps: from one evaluation to the next.
    plateau: how many evaluations in a row, the newest included, the mean is over by which best is picked: with
        more than one, a lone lucky evaluation is not (ssep picks from the plateau, section 4.1).
    keep: which encoder becomes the bundle.
    """

    protocol: str
    metric: str
    steps: int = Field(ge=1)
    plateau: int = Field(default=1, ge=1)
    keep: Literal["last", "best"] = "last"


class RecipePage(Section):
    """A page after its base and the overrides.

    name: what the recipe is called; of a file its name.
    about: a line for those who look for a recipe.
    encoder: {name: options}.
    objectives: a list of {name: options}; the loss is their sum.
    statistics: mean and deviation of patches, or "corpus": those of the recordings it learns from; null: none.
    features: options of the front-end; `front_end` names another than log_mel.
    uses: modules that register components of the page, files as absolute paths.
    """

    name: str
    about: str = ""
    uses: list[str] = []
    audio: EncoderAudio
    features: dict[str, Any]
    statistics: Literal["corpus"] | Statistics | None = None
    views: Views
    encoder: dict[str, dict[str, Any]]
    objectives: list[dict[str, dict[str, Any]]] = Field(min_length=1)
    training: Training
    inference: StatedInference = StatedInference()
    evaluation: Evaluation | None = None

    @field_validator("inference", mode="before")
    @classmethod
    def _all_derived(cls, stated: Any) -> Any:
        return StatedInference() if stated is None else stated


class Recipe(RecipePage):
    """The resolved page, with everything that it leaves to be derived."""

    inference: Inference


def explain(error: ValidationError, whole: type[BaseModel]) -> str:
    """What is wrong with a page, and the nearest right key where one is unknown."""
    lines = []
    for item in error.errors():
        *above, key = item["loc"] or ("page",)
        hint = ""
        if item["type"] == "extra_forbidden":
            section: Any = whole
            for part in above:
                section = _section(getattr(section, "model_fields", {}).get(part))
            if known := getattr(section, "model_fields", {}):
                hint = f"; {nearest(str(key), known)}"
        where = ".".join(str(part) for part in (*above, key))
        lines.append(f"{where}: {item['msg'].removeprefix('Value error, ')}{hint}")
    return "; ".join(lines)


def _section(field: Any) -> Any:
    """The section that a field of another holds, also where it may be absent."""
    kinds = (field.annotation, *get_args(field.annotation)) if field else ()
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
