"""What is compared: systems by name, each one bundle or several that differ in the seed of their pretraining."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.opening import HEAR, LOG_MEL


@dataclass(frozen=True)
class System:
    """name: of its row; runs: what `open_model` takes, one for each pretraining."""

    name: str
    runs: tuple[str, ...]


def parse_systems(texts: Sequence[str]) -> list[System]:
    """Systems as the command line writes them: RUN, NAME=RUN, or NAME=RUN,RUN,... for several pretrainings of one.

    A run without a name is called after its directory (for RUN/bundle the run's), with as many of the directories
    above it as tell it apart from the others; logmel and HEAR modules are called what they are.

    Raises:
        SoundviewsError: two systems have one name, or one without a name has several runs, or one run twice.
    """
    split = [_split(text) for text in texts]
    unnamed = [runs[0] for name, runs in split if not name]
    for run, times in Counter(unnamed).items():
        if times > 1:
            raise SoundviewsError(f"{run} is given {times} times: name each, as in NAME={run}")
    given = dict(zip(unnamed, _names(unnamed), strict=True))
    systems = [System(name or given[runs[0]], runs) for name, runs in split]
    for name, times in Counter(system.name for system in systems).items():
        if times > 1:
            raise SoundviewsError(f"{times} systems are called {name!r}: give them other names, as in NAME=RUN")
    return systems


def _split(text: str) -> tuple[str, tuple[str, ...]]:
    """The name, if one is given, and the runs. A path that exists is itself, whatever characters it has."""
    if Path(text).exists():
        return "", (text,)
    name, equals, rest = text.partition("=")
    if not equals or "/" in name or name.startswith(HEAR):  # an equals sign in a path or in a file of weights
        name, rest = "", text
    runs = (rest,) if _is_one(rest) else tuple(part.strip() for part in rest.split(",") if part.strip())
    if not runs:
        raise SoundviewsError(f"{text!r} names no run")
    if twice := [run for run, times in Counter(runs).items() if times > 1]:
        raise SoundviewsError(f"{text!r} names {twice[0]} twice: its interval is over different pretrainings")
    if len(runs) > 1 and not name:
        raise SoundviewsError(f"several runs of one system need a name, as in NAME={rest}")
    return name.strip(), runs


def _is_one(text: str) -> bool:
    """Whether this is one run or one file of weights, commas and all."""
    path = text.partition("@")[2] if text.startswith(HEAR) else text
    return bool(path) and Path(path).exists()


def _names(runs: Sequence[str]) -> list[str]:
    parts = [_parts(run) for run in runs]
    depth = [1] * len(runs)
    while True:
        names = ["/".join(own[-count:]) for own, count in zip(parts, depth, strict=True)]
        clash = [row for row, name in enumerate(names) if names.count(name) > 1 and depth[row] < len(parts[row])]
        if not clash:
            return names
        for row in clash:
            depth[row] += 1


def _parts(run: str) -> tuple[str, ...]:
    """What a run may be called after, the last part first choice."""
    if run == LOG_MEL:
        return ("log-mel statistics",)
    if run.startswith(HEAR):
        return (run.removeprefix(HEAR),)
    parts = Path(run).resolve().parts[1:]
    return parts[:-1] if len(parts) > 1 and parts[-1] == "bundle" else parts
