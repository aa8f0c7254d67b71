"""A recipe: one YAML page that says how an encoder is pretrained. Deltas name their `base` and what differs."""

import re
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from soundviews.bundle_config import Component, Statistics, Windows
from soundviews.errors import SoundviewsError
from soundviews.registry import nearest

WHOLE = ("encoder", "objectives", "anchor", "positive", "optimizer", "schedule", "separator")  # replaced, never merged


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads 1e-3 as text, because it has no point; here it is a number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+$"), list("-+0123456789")
)


class Section(BaseModel):
    """Part of a page; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid")


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


def component(mapping: dict[str, Any]) -> Component:
    """{name: options} as a Component."""
    if len(mapping) != 1:
        raise SoundviewsError(f"expected one component as {{name: options}}, not {mapping}")
    ((name, options),) = mapping.items()
    return Component(name=name, options=options or {})


def list_recipes() -> dict[str, str]:
    """Shipped recipes: name to one line."""
    root = resources.files("soundviews") / "recipes"
    found = {}
    for path in Path(str(root)).rglob("*.yaml"):
        name = path.relative_to(str(root)).with_suffix("").as_posix()
        found[name] = " ".join(str(read_page(path).get("about", "")).split())
    return dict(sorted(found.items()))  # a recipe before its variants


def load_recipe(name_or_path: str | Path, overrides: list[str] | None = None) -> Recipe:
    """Read a shipped recipe by name or a YAML file, apply its base and overrides, and check every name in it.

    Args:
        name_or_path: `uclser`, `cola`, or the path of a .yaml file.
        overrides: `section.key=value` with YAML values, e.g. `training.steps=1000`.

    Raises:
        SoundviewsError: unknown recipe, key, component or option, before any audio is read.
    """
    page = load_page(name_or_path, overrides)
    if "separator" in page:
        raise SoundviewsError(f"{name_or_path} trains a separator: soundviews separate train --recipe {name_or_path}")
    return check(page)


def load_page(name_or_path: str | Path, overrides: list[str] | None = None) -> dict[str, Any]:
    """A recipe's page after its base and the overrides, not yet checked."""
    page = _resolve(str(name_or_path), seen=())
    for override in overrides or []:
        key, separator, value = override.partition("=")
        if not separator:
            raise SoundviewsError(f"--set takes key=value, not {override!r}")
        try:
            delta: Any = yaml.load(value, _Loader)
        except yaml.YAMLError as error:
            raise SoundviewsError(f"--set {override}: the value is no YAML: {error}") from error
        for part in reversed(key.strip().split(".")):
            delta = {part: delta}
        page = _merge(page, delta)
    return _edit_views(page)


def check(page: dict[str, Any]) -> Recipe:
    """Validate a page and build its components once, so that a wrong name fails here."""
    try:
        recipe = Recipe.model_validate(page)
    except ValidationError as error:
        raise SoundviewsError(f"recipe {page.get('name', '')!r}: " + explain(error, Recipe)) from error
    from soundviews.pretraining.build import build  # the components import torch; listing recipes does not

    build(recipe, weights=False)
    return recipe


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


def read_page(path: Path) -> dict[str, Any]:
    """A recipe's YAML file as it is."""
    try:
        page = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SoundviewsError(f"cannot read the recipe {path}: {error}") from error
    if not isinstance(page, dict):
        raise SoundviewsError(f"{path} is no recipe: a YAML mapping is expected")
    return page


def _locate(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    path = Path(str(resources.files("soundviews") / "recipes")) / f"{name}.yaml"
    if not path.is_file():
        raise SoundviewsError(f"unknown recipe {name!r}: {nearest(name, list_recipes())} (or give a .yaml file)")
    return path


def _resolve(name: str, seen: tuple[str, ...]) -> dict[str, Any]:
    if name in seen:
        raise SoundviewsError(f"recipes refer to each other: {' -> '.join((*seen, name))}")
    page = read_page(_locate(name))
    base = page.pop("base", None)
    if base is not None:
        relative = Path(name).parent / base if name.endswith((".yaml", ".yml")) else Path(base)
        below = _resolve(str(relative) if str(base).endswith((".yaml", ".yml")) else str(base), (*seen, name))
        del below["name"]
        page = _merge(below, page)
    page = _edit_views(page)
    page.setdefault("name", Path(name).stem if name.endswith((".yaml", ".yml")) else name)
    return page


def _edit_views(page: dict[str, Any]) -> dict[str, Any]:
    """`edit_views` gives steps of both branches other options by their name, or leaves them out (null)."""
    edits, views = page.pop("edit_views", None) or {}, dict(page.get("views") or {})
    found = set()
    for branch in ("anchor", "positive") if edits else ():
        names = [step if isinstance(step, str) else next(iter(step)) for step in views[branch]]
        found |= set(names)
        steps = zip(names, views[branch], strict=True)
        kept = [({name: edits[name]} if name in edits else step, edits.get(name, True)) for name, step in steps]
        views[branch] = [step for step, options in kept if options is not None]
    for name in edits:
        if name not in found:
            raise SoundviewsError(f"edit_views names {name!r}, which is no step of this recipe: {nearest(name, found)}")
    return {**page, "views": views} if edits else page


def _merge(base: dict[str, Any], delta: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in delta.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict) and key not in WHOLE:
            value = _merge(merged[key], value)
        elif key in WHOLE and isinstance(value, dict) and set(value) == set(merged.get(key) or {}):
            value = {name: {**(merged[key][name] or {}), **(options or {})} for name, options in value.items()}
        merged[key] = value
    if "epochs" in delta and "steps" not in delta:
        merged.pop("steps", None)
    elif "steps" in delta and "epochs" not in delta:
        merged.pop("epochs", None)
    return merged
