"""The page of the command line: every verb with its arguments and options, from the functions that typer calls."""

import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any

import typer
from typer.models import ArgumentInfo, OptionInfo

from soundviews.cli.app import app, load_verbs
from tools.saying import Option, say_type, say_value, table


def verbs(typer_app: typer.Typer, before: str = "soundviews") -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Each command as it is typed, its help, and its function."""
    for command in typer_app.registered_commands:
        if command.callback is not None and not command.hidden:
            yield (
                f"{before} {command.name or command.callback.__name__.replace('_', '-')}",
                command.help or "",
                command.callback,
            )
    for group in typer_app.registered_groups:
        if group.typer_instance is not None:
            yield from verbs(group.typer_instance, f"{before} {group.name or group.typer_instance.info.name}")


def parameters(verb: Callable[..., Any]) -> tuple[list[Option], list[Option]]:
    """Its arguments and its options, both as they are typed."""
    arguments, options = list[Option](), list[Option]()
    for name, parameter in inspect.signature(verb, eval_str=True).parameters.items():
        kind, *extras = typing.get_args(parameter.annotation) or (parameter.annotation,)
        info = next((extra for extra in extras if isinstance(extra, ArgumentInfo | OptionInfo)), None)
        if info is None:
            continue
        default = "" if parameter.default is parameter.empty else say_value(parameter.default)
        if default in ("`null`", "`[]`"):
            default = "none"
        help_text = " ".join((info.help or "").split())
        if isinstance(info, ArgumentInfo):
            arguments.append(Option(info.metavar or name.upper(), say_type(kind), default, help_text))
        else:
            declared = [*([info.default] if isinstance(info.default, str) else []), *(info.param_decls or ())]
            typed = " ".join(declared or [f"--{name.replace('_', '-')}"])
            options.append(Option(typed, say_type(kind), default, help_text))
    return arguments, options


def write() -> str:
    """The page."""
    load_verbs()
    parts = [
        "# The command line",
        "Written from the code by `make reference`; `soundviews VERB --help` says the same. Every option has the "
        "name of an argument of the [Python](python.md) function that the verb calls.",
    ]
    for typed, text, verb in sorted(verbs(app), key=lambda found: found[0]):
        arguments, options = parameters(verb)
        parts += [f"## `{typed}`", inspect.cleandoc(text or verb.__doc__ or "")]
        parts += [table("argument", arguments)] if arguments else []
        parts += [table("option", options)] if options else []
    return "\n\n".join(parts) + "\n"
