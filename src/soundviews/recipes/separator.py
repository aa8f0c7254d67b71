"""The recipe of a separator: one YAML page that says how its processors come about."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from soundviews.recipes.schema import ClipSeconds, Length, SampleRate, Section

FEWEST_SOURCES, MOST_SOURCES = 2, 16


class SeparatorAudio(Section):
    """What recordings become.

    sample_rate: Hz; recordings of other rates are resampled.
    clip_seconds: the longest clip, s; longer recordings become several.
    """

    sample_rate: SampleRate
    clip_seconds: ClipSeconds


class Mixtures(Section):
    """Mixtures of mixtures.

    seconds: what is cut out of each clip at random; shorter clips are followed by silence.
    level_match: whether both clips of a mixture of mixtures are brought to one level. Without it most examples may
        teach an untrained separator nothing (see separation/mixtures.py).
    snr_max: dB beyond which a better fit earns next to nothing (MixIT's threshold).
    """

    seconds: ClipSeconds
    level_match: bool = True
    snr_max: float = 30.0


class SeparatorRecipe(Section):
    """The resolved page.

    name: what the recipe is called; of a file its name.
    about: a line for those who look for a recipe.
    separator: {tdcn: options}.
    training: length, batch and optimiser; `batch_size` counts mixtures of mixtures, each of two clips.
    processors: checkpoints that are kept, by name: after how many steps, "last", or null for one of the base recipe
        that is not wanted.
    """

    name: str
    about: str = ""
    audio: SeparatorAudio
    separator: dict[str, dict[str, Any]]
    mixtures: Mixtures
    training: Length
    processors: dict[str, int | Literal["last"]] = Field(min_length=1)

    @field_validator("processors", mode="before")
    @classmethod
    def _wanted(cls, given: Any) -> Any:
        return {name: at for name, at in given.items() if at is not None} if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _possible(self) -> "SeparatorRecipe":
        steps = self.training.steps
        if steps is None:
            raise ValueError("the training of a separator is measured in steps")
        for name, at in self.processors.items():
            if at != "last" and not 0 <= at <= steps:
                raise ValueError(
                    f"processors.{name} is the separator after {at} steps, but the training ends after {steps}: "
                    f"train longer, or set processors.{name} to another step"
                )
            if not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"a processor's name is letters, digits, - and _, not {name!r}")
        return self

    def keep_at(self, steps: int) -> dict[int, list[str]]:
        """Names of the processors by the step after which they are kept."""
        found: dict[int, list[str]] = {}
        for name, at in self.processors.items():
            found.setdefault(steps if at == "last" else at, []).append(name)
        return found
