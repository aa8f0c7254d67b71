"""One piece of work of a table: a folder that it fills, the call that does it, and the same as a command."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Step:
    """A separator, channels, a training or a judgement.

    title: what it is, for people.
    folder: what nothing else is written into; named by a hash of all that decides what it holds.
    done: the file that is there when all is done.
    command: the same for a terminal.
    call: what does it; it goes on where it was interrupted.
    needs: folders of the steps that come before it.
    """

    title: str
    folder: Path
    done: Path
    command: str
    call: Callable[[], Any]
    needs: tuple[Path, ...] = ()

    @property
    def is_done(self) -> bool:
        return self.done.is_file()


def command(verb: str, nouns: Sequence[str | Path], options: Mapping[str, Any]) -> str:
    """A call of the face as a command: a list is written with commas, overrides become --set, None is left out."""
    words = ["soundviews", *verb.split(), *map(str, nouns)]
    for name, value in options.items():
        if name == "overrides":
            words += [word for key, new in value.items() for word in ("--set", f"{key}={json.dumps(new)}")]
        elif value is not None:
            text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            words += [f"--{name.replace('_', '-')}", text]
    return shlex.join(words)
