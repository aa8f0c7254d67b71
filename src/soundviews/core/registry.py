"""Names to constructors, with errors that point at the nearest right name."""

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from soundviews.core.components import load_entry_points
from soundviews.core.construct import construct, defined_at, same_definition
from soundviews.core.errors import SoundviewsError, UnknownComponent

MOST_LISTED = 100

Maker = TypeVar("Maker", bound=Callable[..., Any])


def nearest(word: str, words: Iterable[str]) -> str:
    """Return a hint that names the closest of `words`, or lists them, unless they are too many."""
    known = sorted(words)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    more = f" and {len(known) - MOST_LISTED:,} more" if len(known) > MOST_LISTED else ""
    return f"known: {', '.join(known[:MOST_LISTED])}{more}"


def import_all(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that what they register is there."""
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")


class Registered(NamedTuple):
    """maker: what builds the component; example: options that show and test it, beside the context."""

    maker: Callable[..., Any]
    example: dict[str, Any]


class Registry:
    """Components of one kind by name. Options are the constructors' own keyword arguments."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._registered: dict[str, Registered] = {}

    def register(self, name: str, example: Mapping[str, Any] | None = None) -> Callable[[Maker], Maker]:
        """Decorate a class or function so that recipes, options and bundles can name it.

        A definition that is read again (a notebook's cell, a reloaded module) takes the place of the earlier one.

        Args:
            name: What it is called by.
            example: Options it is tested with, where its constructor demands some or its defaults take long.

        Raises:
            SoundviewsError: another definition has this name; both are named.
        """

        def add(maker: Maker) -> Maker:
            before = self._registered.get(name)
            if before is not None and not same_definition(before.maker, maker):
                raise SoundviewsError(
                    f"{self.kind} {name!r} is registered twice, by {defined_at(before.maker)} and by "
                    f"{defined_at(maker)}: give one of them another name"
                )
            self._registered[name] = Registered(maker, dict(example or {}))
            return maker

        return add

    def __iter__(self) -> Iterator[str]:
        """Names in the order of their registration."""
        load_entry_points()
        return iter(list(self._registered))

    def names(self) -> list[str]:
        return sorted(self)

    def __repr__(self) -> str:
        return f"<Registry of {self.kind}s: {', '.join(self.names())}>"

    def get(self, name: str) -> Callable[..., Any]:
        """The class or function that is registered under a name.

        Raises:
            UnknownComponent: there is none, also not among the installed components.
        """
        return self._find(name).maker

    def example(self, name: str) -> dict[str, Any]:
        """Options that a component is shown and tested with."""
        return dict(self._find(name).example)

    def create(self, name: str, options: Mapping[str, Any] | None = None, **context: Any) -> Any:
        """Build a component.

        Args:
            name: Registered name.
            options: What the recipe says; an unknown option is an error that names the nearest right one.
            context: What the surroundings know (sample rate, embedding size, ...); each is handed over only
                if the constructor asks for it and the recipe does not say it.

        Raises:
            SoundviewsError: an unknown name or option, or a value that the constructor refuses. Any other error is
                the component's own, and keeps its traceback.
        """
        maker, options = self.get(name), dict(options or {})
        parameters = inspect.signature(maker).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            for option in options:
                if option not in parameters:
                    hint = nearest(option, parameters) if parameters else "it has none"
                    raise SoundviewsError(f"{self.kind} {name!r} has no option {option!r}: {hint}")
        given = {key: value for key, value in context.items() if key in parameters and key not in options}
        return construct(maker, f"{self.kind} {name!r}", options, given)

    def _find(self, name: str) -> Registered:
        if name not in self._registered:
            load_entry_points()
        if name not in self._registered:
            raise UnknownComponent(f"{self.kind} {name!r}", nearest(name, self._registered))
        return self._registered[name]
