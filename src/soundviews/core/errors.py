"""Errors meant for the person at the keyboard, in the words of whoever called: the command line, or Python."""

import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_command_line = False
_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = 200


class SoundviewsError(Exception):
    """Something the user can mend: a wrong path, an unknown name, a full disk."""


class UnreadableClip(SoundviewsError):
    """One clip that cannot be used. The message is the reason, without the path."""


class UnknownComponent(SoundviewsError):
    """A name that no component is registered under.

    Attributes:
        component: The kind and the name, such as `view 'my_view'`.
    """

    def __init__(self, component: str, hint: str) -> None:
        super().__init__(f"unknown {component}: {hint}")
        self.component = component


@contextmanager
def speaking_command_line() -> Iterator[None]:
    """Within the block, `option` and `words` name options and commands as a terminal takes them."""
    global _command_line
    before, _command_line = _command_line, True
    try:
        yield
    finally:
        _command_line = before


def brief(value: Any) -> str:
    """A value that somebody gave, as a message names it: as Python writes it, but what is long or deep cut short."""
    return _brief.repr(value)


def option(name: str) -> str:
    """An option that both have under one name: `--train-folds`, or `train_folds=` for a Python caller."""
    return f"--{name.replace('_', '-')}" if _command_line else f"{name}="


def words(command_line: str, python: str) -> str:
    """What only one of them understands: a command, or the call that does the same."""
    return command_line if _command_line else python
