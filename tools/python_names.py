"""The page of public names: what `import soundviews` offers, and what each of its packages does."""

import inspect
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import soundviews as sv
from tools.saying import first_paragraph, options_of, table


def write() -> str:
    """The page."""
    named = {name: getattr(sv, name) for name in dir(sv) if name != "__version__"}
    parts = [
        "# Public names",
        "Written from the code by `make reference`; [python.md](../python.md) shows how they are used together. "
        "`soundviews.__version__` is the version.",
        "## Functions and classes",
    ]
    for name, value in named.items():
        if not isinstance(value, ModuleType):
            parts += [f"### `sv.{name}`", _call(name, value), _about(value)]
            parts += _arguments(value) if inspect.isroutine(value) else []
    parts.append("## Packages")
    for name, value in named.items():
        if isinstance(value, ModuleType):
            parts += [f"### `sv.{name}`", first_paragraph(value.__doc__)]
            members = [(member, getattr(value, member)) for member in getattr(value, "__all__", ())]
            lines = [f"- `sv.{name}.{member}`: {_about(found)}" for member, found in members if _about(found)]
            parts += ["\n".join(lines)] if lines else []
    return "\n\n".join(part for part in parts if part) + "\n"


def _about(value: Any) -> str:
    documented = inspect.isclass(value) or inspect.isroutine(value) or isinstance(value, ModuleType)
    return first_paragraph(value.__doc__) if documented else ""


def _arguments(function: Callable[..., Any]) -> list[str]:
    """A table of the arguments, then what is returned and raised."""
    text = inspect.cleandoc(function.__doc__ or "")
    rest = re.findall(r"^(Returns|Raises):\n((?: +.*\n?)+)", text, flags=re.MULTILINE)
    options = options_of(function, ())
    return [table("argument", options)] * bool(options) + [f"{head}: {' '.join(said.split())}" for head, said in rest]


def _call(name: str, value: Any) -> str:
    """Of a function, a call with the names of its parameters and their defaults."""
    if not inspect.isroutine(value):
        return ""
    given = inspect.signature(value).parameters.values()
    call = inspect.Signature([parameter.replace(annotation=inspect.Parameter.empty) for parameter in given])
    return f"```python\nsv.{name}{call}\n```"
