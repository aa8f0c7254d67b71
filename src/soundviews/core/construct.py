"""Calling a component's constructor, so that a wrong option is told from a bug in the component."""

import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from soundviews.core.errors import SoundviewsError, brief

CONSTRUCTORS = ("__init__", "__post_init__")


def construct(maker: Callable[..., Any], component: str, options: Mapping[str, Any], context: Mapping[str, Any]) -> Any:
    """Call a constructor.

    Args:
        maker: The class or function.
        component: Its kind and name, for the messages.
        options: Arguments that a person gave.
        context: Further arguments.

    Raises:
        SoundviewsError: an argument is missing, an option is not of the type that the constructor says, or the
            constructor itself refuses a value by a ValueError. Other errors pass as they are.
    """
    try:
        inspect.signature(maker).bind(**context, **options)
    except TypeError as error:
        raise SoundviewsError(f"{component}: {error}") from error
    try:
        return maker(**context, **options)
    except SoundviewsError:
        raise
    except Exception as error:
        if wrong := _wrong_type(maker, options):
            raise SoundviewsError(f"{component}: {wrong}") from error
        if isinstance(error, ValueError) and _raised_by_the_maker(error):
            raise SoundviewsError(f"{component}: {error}") from error
        raise


def same_definition(first: Callable[..., Any], second: Callable[..., Any]) -> bool:
    """Whether two classes or functions are one definition that was read twice.

    Their names and their modules are the same, or their files: a program's own file is the module `__main__`, too.
    """
    if first is second:
        return True
    names = [getattr(maker, "__qualname__", None) for maker in (first, second)]
    if names[0] is None or names[0] != names[1]:
        return False
    return first.__module__ == second.__module__ or (_file(first) is not None and _file(first) == _file(second))


def defined_at(maker: Callable[..., Any]) -> str:
    """Where a class or function is written, for a message: its name, file and line."""
    name = f"{getattr(maker, '__module__', '?')}.{getattr(maker, '__qualname__', repr(maker))}"
    try:
        return f"{name} ({inspect.getsourcefile(maker)}:{inspect.getsourcelines(maker)[1]})"
    except (OSError, TypeError):  # typed into an interpreter
        return name


def _file(maker: Callable[..., Any]) -> str | None:
    return getattr(sys.modules.get(maker.__module__), "__file__", None)


def _wrong_type(maker: Callable[..., Any], options: Mapping[str, Any]) -> str:
    """Which option is not of its annotated type, "" if all are or nothing is annotated."""
    try:
        hints = get_type_hints(getattr(maker, "__init__") if isinstance(maker, type) else maker)  # noqa: B009 (mypy)
    except Exception:  # names that only a type checker knows
        return ""
    for option in set(hints) & set(options):
        try:
            # A list may be a tuple's, but the text "3" is no number.
            strict = isinstance(options[option], str | float | bool)
            adapter = TypeAdapter(hints[option], config={"arbitrary_types_allowed": True})
            adapter.validate_python(options[option], strict=strict)
        except ValidationError as error:
            return f"{option} is {brief(options[option])}: {error.errors(include_input=False)[0]['msg']}"
        except PydanticUserError:  # a type that cannot be checked
            continue
    return ""


def _raised_by_the_maker(error: ValueError) -> bool:
    """Whether the function, or the constructor with those of its base classes, raised it: not what they call."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][1:]  # the first is `construct`
    if len(frames) <= 1:
        return True
    built = frames[0].f_locals.get("self")
    return all(frame.f_code.co_name in CONSTRUCTORS and frame.f_locals.get("self") is built for frame in frames)
