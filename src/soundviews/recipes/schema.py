"""What a recipe's page may say, section by section. No torch here: recipes are listed quickly."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from soundviews.core.messages import shown
from soundviews.core.registry import nearest

LONGEST_WINDOW = 1 << 27  # frames or samples: ten minutes at the highest rate
LONGEST_CLIP = 86_400.0  # seconds
MOST_STEPS, MOST_AT_ONCE = 1_000_000_000, 1_000_000
MOST_SAID, LONGEST_KEY = 5, 100  # mistakes of a page that an error names, and letters of a key


class Section(BaseModel):
    """Part of a page; a key that it does not know is an error, and so is a number that is not finite."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class Statistics(Section):
    """Scalar mean and deviation that patches are standardised with, over all bins of the training corpus.

    mean, std: in the unit of the patches.
    """

    mean: float
    std: float = Field(gt=0)


SampleRate = Annotated[int, Field(ge=1000, le=192000)]
ClipSeconds = Annotated[float, Field(ge=0.01, le=LONGEST_CLIP)]
Unit = Literal["spectrogram", "waveform"]
Tail = Literal["drop", "pad"]
Level = Literal["none", "peak", "l2_clip", "l2_window"]
Readout = Literal["mean", "loudness", "max"]


class StatedWindows(Section):
    """How a clip is cut for the frozen encoder; what a page leaves out follows from its views.

    unit: "spectrogram" slices the whole clip's log-mel (sizes in frames; uclser), "waveform" cuts the waveform and
        computes each window's log-mel by itself (sizes in samples; cola).
    size, hop: of the windows of evaluation and embedding.
    crop: of the random crops of supervised training.
    tail: whether the last, incomplete window is dropped or padded. A clip shorter than a window gives one window.
    """

    unit: Unit | None = None
    size: int | None = Field(default=None, ge=1, le=LONGEST_WINDOW)
    hop: int | None = Field(default=None, ge=1, le=LONGEST_WINDOW)
    crop: int | None = Field(default=None, ge=1, le=LONGEST_WINDOW)
    tail: Tail | None = None


class WindowSettings(StatedWindows):
    """`StatedWindows` with everything that the page leaves out."""

    unit: Unit
    size: int = Field(ge=1, le=LONGEST_WINDOW)
    hop: int = Field(ge=1, le=LONGEST_WINDOW)
    crop: int = Field(ge=1, le=LONGEST_WINDOW)
    tail: Tail


class StatedInference(Section):
    """How the finished encoder reads clips; what a page leaves out follows from its views.

    level: what a clip, or with "l2_window" each window, is divided by.
    pool: how a clip's windows become one vector: their mean, the mean weighted by loudness (power^0.3), or the largest
        value of each dimension.
    """

    level: Level | None = None
    pool: Readout = "mean"
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

    sample_rate: SampleRate
    clip_seconds: ClipSeconds
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
    schedule: {constant: {}}, {step: {milestones: shares of the training, gamma: }}, {cosine: {}},
        {exponential: {final: }} or {hold: {decay: share of the training}}.
    warmup_steps: steps over which the learning rate rises to its value, within the training.
    precision: of the computation; "bf16-mixed" is faster on GPUs and on CPUs that know bfloat16.
    gradient_clip: largest norm of the gradient.
    accumulate: batches whose gradients are added up for one step.
    seed: draws weights, order, crops and all else that is random.
    checkpoint_steps: an interrupted training goes on from the last multiple of so many steps.
    keep_every: steps from one checkpoint that stays to the next; null: only the last stays.
    """

    epochs: float | None = Field(default=None, gt=0, le=MOST_STEPS)
    steps: int | None = Field(default=None, ge=1, le=MOST_STEPS)
    batch_size: int = Field(ge=1, le=MOST_AT_ONCE)
    optimizer: dict[str, dict[str, Any]]
    schedule: dict[str, dict[str, Any]] = {"constant": {}}
    warmup_steps: int = Field(default=0, ge=0, le=MOST_STEPS)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    gradient_clip: float | None = Field(default=None, gt=0)
    accumulate: int = Field(default=1, ge=1, le=MOST_AT_ONCE)
    seed: int = 0
    checkpoint_steps: int = Field(default=500, ge=1, le=MOST_STEPS)
    keep_every: int | None = Field(default=None, ge=1, le=MOST_STEPS)

    @model_validator(mode="after")
    def _one_length(self) -> "Length":
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("say either epochs or steps")
        return self


class Training(Length):
    """How an encoder is trained.

    clips_per_step: clips whose gradients are added up for one step, whatever the devices: `accumulate` follows from it
        when a run begins. null: batch_size on each device, times `accumulate`.
    views_together: whether both views pass the encoder in one batch (cola: they share batch statistics) or one
        after the other (uclser: each has its own).
    held_out: Share of the recordings, at most 200 of them, that are left out of the training for the check at its end.
        With 0 the encoder learns from all, and is checked on some of those.
    """

    batch_size: int = Field(ge=2, le=MOST_AT_ONCE)
    clips_per_step: int | None = Field(default=None, ge=2, le=MOST_AT_ONCE)
    views_together: bool = False
    held_out: float = Field(default=0.0, ge=0, le=0.5)

    @model_validator(mode="after")
    def _one_sum(self) -> "Training":
        if self.clips_per_step is not None and self.accumulate != 1:
            raise ValueError("accumulate follows from clips_per_step: leave out one of them (clips_per_step: null)")
        return self


class Evaluation(Section):
    """A protocol run on a labelled corpus every `steps`; `metric` picks best; `keep` becomes the bundle.

    protocol: as `evaluate` takes it, options included: knn:k=20.
    metric: the figure that tells which step is best.
    steps: from one evaluation to the next.
    plateau: how many evaluations in a row, the newest included, the mean is over by which best is picked: with
        more than one, a lone lucky evaluation is not (ssep picks from the plateau, section 4.1).
    keep: which encoder becomes the bundle.
    """

    protocol: str
    metric: str
    steps: int = Field(ge=1, le=MOST_STEPS)
    plateau: int = Field(default=1, ge=1, le=MOST_STEPS)
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
    """What is wrong with a page, in one line, and the nearest right key where one is unknown."""
    lines = []
    mistakes = error.errors(include_url=False, include_input=False)
    for item in mistakes[:MOST_SAID]:
        *above, key = item["loc"] or ("page",)
        hint = ""
        if item["type"] == "extra_forbidden":
            section: Any = whole
            for part in above:
                section = _section(getattr(section, "model_fields", {}).get(part))
            if known := getattr(section, "model_fields", {}):
                hint = f"; {nearest(str(key), known)}"
        where = ".".join(_brief(part) for part in (*above, key))
        lines.append(f"{where}: {item['msg'].removeprefix('Value error, ')}{hint}")
    if len(mistakes) > MOST_SAID:
        lines.append(f"and {len(mistakes) - MOST_SAID:,} more")
    return "; ".join(lines)


def _brief(key: Any) -> str:
    """A key for a message in one line: somebody else may have written the page."""
    text = shown(key)
    return text if len(text) <= LONGEST_KEY else f"{text[:LONGEST_KEY]}..."


def _section(field: Any) -> Any:
    """The section that a field of another holds, also where it may be absent."""
    kinds = (field.annotation, *get_args(field.annotation)) if field else ()
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
