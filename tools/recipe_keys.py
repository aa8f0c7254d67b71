"""The page of recipe keys: every section of the schema, and every component that a recipe can name."""

from collections.abc import Callable, Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from soundviews.core.registry import Registry
from soundviews.encoders import encoders
from soundviews.encoders.timm_encoder import TimmEncoder
from soundviews.evaluation.score import protocols
from soundviews.features.registry import front_ends
from soundviews.objectives import objectives
from soundviews.recipes.optimization import optimizers, schedules
from soundviews.recipes.schema import RecipePage
from soundviews.recipes.separator import SeparatorRecipe
from soundviews.separation.processor import separators
from soundviews.views import views
from tools.saying import Option, described, first_paragraph, options_of, say_type, say_value, table

BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below", "min_length": "items: at least"}
# What the surroundings give a component, so that no page says it.
KINDS: list[tuple[str, str, Registry, tuple[str, ...]]] = [
    ("Views", "Each step of `views.anchor`, `views.positive` and `views.further`.", views, ("log_mel", "sample_rate")),
    ("Encoders", "`encoder`.", encoders, ("name",)),
    ("Objectives", "`objectives`; each also takes `weight` (1) and `name`.", objectives, ("embedding_size",)),
    ("Front-ends", "`features`, where `front_end` names one.", front_ends, ("sample_rate",)),
    ("Schedules", "`training.schedule`: factors of the learning rate.", schedules, ()),
    ("Separators", "`separator`, in the recipe of a separator.", separators, ()),
    ("Protocols", "`evaluation.protocol`, and `--protocol` of `evaluate`.", protocols, ("model", "task", "seed")),
]


def sections(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Each section with the path of its keys, the page itself first."""
    yield path, model
    for name, field in model.model_fields.items():
        if inner := _section(field):
            yield from sections(inner, f"{path}.{name}".removeprefix("."))


def keys(model: type[BaseModel]) -> list[Option]:
    """The keys of a section."""
    about = {name: text for base in reversed(model.__mro__) for name, text in described(base.__doc__).items()}
    lines = []
    for name, field in model.model_fields.items():
        kind, default = _kind(field), "" if field.is_required() else say_value(field.default)
        if inner := _section(field):
            about.setdefault(name, first_paragraph(inner.__doc__))
            default = "derived" if name in ("inference", "windows") else default
        lines.append(Option(name, kind, default, about.get(name, "")))
    return lines


def write() -> str:
    """The page."""
    parts = [
        "# Recipe keys",
        "Written from the code by `make reference`. How a recipe is put together is said in "
        "[Writing a recipe](../recipes/README.md). Beside the keys below a page has `base` (the recipe or .yaml "
        "file that it starts from) and `edit_views` (`{view: {option: value}}` in both branches; `{view: null}` "
        "leaves it out).",
    ]
    for title, page in (("The recipe of an encoder", RecipePage), ("The recipe of a separator", SeparatorRecipe)):
        parts.append(f"## {title}")
        for path, section in sections(page):
            parts += [f"### `{path}`", first_paragraph(section.__doc__)] if path else []
            parts.append(table("key", keys(section)))
    for title, about, registry, context in KINDS:
        parts += [f"## {title}", about]
        further = [("timm/NAME", TimmEncoder)] if registry is encoders else []
        for name, maker in (*shipped(registry), *further):
            options = options_of(maker, context)
            parts += [f"### `{name}`", first_paragraph(maker.__doc__)]
            parts += [table("option", options)] if options else []
    lines = [f"- `{name}`: {maker.__module__.split('.')[0]}'s {maker.__name__}" for name, maker in shipped(optimizers)]
    parts += [
        "## Optimisers",
        "`training.optimizer`. Options are those of the class in `torch.optim`.",
        "\n".join(lines),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def shipped(registry: Registry) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Components of soundviews itself, not those of a test or of another distribution."""
    for name in registry.names():
        maker = registry.get(name)
        if maker.__module__.split(".")[0] in ("soundviews", "torch"):
            yield name, maker


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kinds = (field.annotation, *get_args(field.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _kind(field: FieldInfo) -> str:
    bounds = [
        f"{word} {getattr(bound, name)}"
        for bound in field.metadata
        for name, word in BOUNDS.items()
        if getattr(bound, name, None) is not None
    ]
    section = _section(field)
    said = say_type(field.annotation).replace(section.__name__, "section") if section else say_type(field.annotation)
    return ", ".join([said, *bounds])
