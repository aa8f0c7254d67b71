"""How the reference pages say types, defaults and docstrings. Alike under every version of Python that is supported."""

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "integer",
    float: "number",
    str: "text",
    Path: "path",
    Any: "any",
    types.NoneType: "null",
}


class Option(NamedTuple):
    """One line of a table. default: as it is written; empty where there is none."""

    name: str
    type: str
    default: str
    about: str


def say_type(kind: Any) -> str:
    """An annotation in words."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is None or kind in WORDS:
        return WORDS[types.NoneType if kind is None else kind]
    if origin is Annotated:
        return say_type(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(say_type(part) for part in arguments if part is not types.NoneType)
    if not inspect.isclass(origin):
        return getattr(kind, "__name__", str(kind))
    if origin is Callable:
        return "function"
    if issubclass(origin, Mapping):
        return "mapping"
    if issubclass(origin, Sequence):
        return f"list of {say_type(arguments[0])}" if arguments and arguments[0] is not Any else "list"
    return origin.__name__


def say_value(value: Any) -> str:
    """A default as it would be written in YAML."""
    if value is None or isinstance(value, bool):
        return {None: "`null`", True: "`true`", False: "`false`"}[value]
    if isinstance(value, tuple | list):
        return f"`[{', '.join(f'{item:.4g}' if isinstance(item, float) else str(item) for item in value)}]`"
    return f"`{value}`" if value != "" else "`''`"


def first_paragraph(text: str | None) -> str:
    """What a docstring begins with, on one line."""
    return " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())


def described(text: str | None) -> dict[str, str]:
    """What a docstring says of each name, in lines `name: ...` or `name, name: ...` and those set in further."""
    found: dict[str, str] = {}
    names: list[str] = []
    margin = 0
    for line in inspect.cleandoc(text or "").splitlines():
        depth = len(line) - len(line.lstrip())
        if start := re.match(r"\s*([a-z_]\w*(?:, [a-z_]\w*)*): (.*)", line):
            names, margin, said = start[1].split(", "), depth, start[2][:1].upper() + start[2][1:]
        elif names and line.strip() and depth > margin:
            said = line.strip()
        else:
            names = []
            continue
        for name in names:
            found[name] = f"{found[name]} {said}" if name in found else said
    return found


def options_of(maker: Callable[..., Any], context: Sequence[str]) -> list[Option]:
    """Options of a constructor or function, but not what the surroundings give it."""
    about = described(maker.__doc__)
    hints = typing.get_type_hints(maker.__init__ if inspect.isclass(maker) else maker)
    return [
        Option(
            name,
            say_type(hints.get(name, parameter.annotation)),
            "" if parameter.default is parameter.empty else say_value(parameter.default),
            about.get(name, ""),
        )
        for name, parameter in inspect.signature(maker).parameters.items()
        if name not in context and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]


def table(head: str, options: Sequence[Option]) -> str:
    """Options as a table in Markdown."""
    lines = [f"| {head} | type | default | |", "|---|---|---|---|"]
    for option in options:
        cells = (f"`{option.name}`", option.type, option.default or "required", option.about)
        lines.append("| " + " | ".join(cell.replace("|", "\\|").strip() for cell in cells) + " |")
    return "\n".join(lines)
