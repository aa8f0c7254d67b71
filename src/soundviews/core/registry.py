"""Names to constructors, with errors that point at the nearest right name."""

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from typing import Any

from soundviews.core.errors import SoundviewsError


def nearest(word: str, words: Iterable[str]) -> str:
    """Return a hint that names the closest of `words`, or lists them all."""
    known = sorted(words)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def import_all(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that what they register is there."""
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")


class Registry:
    """Components of one kind by name. Options are the constructors' own keyword arguments."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._makers: dict[str, Callable[..., Any]] = {}

    def register(self, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate a class or function so that recipes can name it."""

        def add(maker: Callable[..., Any]) -> Callable[..., Any]:
            if name in self._makers:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._makers[name] = maker
            return maker

        return add

    def names(self) -> list[str]:
        return sorted(self._makers)

    def get(self, name: str) -> Callable[..., Any]:
        if name not in self._makers:
            raise SoundviewsError(f"unknown {self.kind} {name!r}: {nearest(name, self._makers)}")
        return self._makers[name]

    def create(self, name: str, options: dict[str, Any] | None = None, **context: Any) -> Any:
        """Build a component.

        Args:
            name: Registered name.
            options: What the recipe says; an unknown option is an error that names the nearest right one.
            context: What the surroundings know (sample rate, embedding size, ...); each is handed over only
                if the constructor asks for it and the recipe does not say it.
        """
        maker, options = self.get(name), dict(options or {})
        parameters = inspect.signature(maker).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            for option in options:
                if option not in parameters:
                    raise SoundviewsError(
                        f"{self.kind} {name!r} has no option {option!r}: {nearest(option, parameters)}"
                    )
        given = {key: value for key, value in context.items() if key in parameters and key not in options}
        try:
            return maker(**given, **options)
        except (TypeError, ValueError) as error:
            raise SoundviewsError(f"{self.kind} {name!r}: {error}") from error
