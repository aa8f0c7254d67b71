"""What is compared: systems by name, each one bundle or several that differ in the seed of their pretraining."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.baselines import log_mel_name
from soundviews.evaluation.opening import HEAR, LOG_MEL, LOG_MEL_OF, Source, source_name

Systems = Mapping[str, Source | Sequence[Source]] | Sequence[Source]
"""What `read_systems` takes."""


@dataclass(frozen=True)
class System:
    """A compared system in a result. name: of its row; runs: what each of its pretrainings is called."""

    name: str
    runs: tuple[str, ...]


def read_systems(systems: Systems) -> dict[str, tuple[Source, ...]]:
    """By name what `open_model` takes, one for each pretraining.

    Args:
        systems: {"mine": run, "theirs": "hear:module", "several": [run, run]}, or a list of what stands for itself
            and is called after its directory, as `parse_systems` says, or by the name of the opened model.

    Raises:
        SoundviewsError: nothing is named, two systems have one name, or one system has a run twice.
    """
    if isinstance(systems, Mapping):
        pairs: list[tuple[str, tuple[Any, ...]]] = [
            (name, tuple(runs) if isinstance(runs, list | tuple) else (runs,)) for name, runs in systems.items()
        ]
    else:
        sources = list(systems) if isinstance(systems, Sequence) and not isinstance(systems, str) else [systems]
        _refuse_twice([source for source in sources if isinstance(source, str)], '{{"NAME": {0!r}}}')
        pairs = [(name, (source,)) for name, source in zip(_names(sources), sources, strict=True)]
    return _distinct(pairs, '{"NAME": RUN}')


def parse_systems(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Systems as the command line writes them: RUN, NAME=RUN, or NAME=RUN,RUN,... for several pretrainings of one.

    A run without a name is called after its directory (for RUN/bundle the run's), with as many of the directories
    above it as tell it apart from the others; logmel and HEAR modules are called what they are.

    Raises:
        SoundviewsError: two systems have one name, or one without a name has several runs, or one run twice.
    """
    split = [_split(text) for text in texts]
    unnamed = [runs[0] for name, runs in split if not name]
    _refuse_twice(unnamed, "NAME={0}")
    names = iter(_names(unnamed))
    return _distinct([(name or next(names), runs) for name, runs in split], "NAME=RUN")


def run_names(runs: Sequence[Source]) -> tuple[str, ...]:
    """What the runs of one system are called; opened models of one name are numbered."""
    names = [source_name(run) for run in runs]
    return tuple(
        f"{name} ({names[:index].count(name) + 1})" if names.count(name) > 1 else name
        for index, name in enumerate(names)
    )


def _distinct(pairs: Sequence[tuple[str, tuple[Any, ...]]], form: str) -> dict[str, tuple[Any, ...]]:
    if not pairs:
        raise SoundviewsError("no system to judge is named")
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            raise SoundviewsError(f"{times} systems are called {name!r}: give them other names, as in {form}")
    for name, runs in pairs:
        if not runs:
            raise SoundviewsError(f"{name!r} names no run")
        for index, run in enumerate(runs):
            if any(run is other or (isinstance(run, str | Path) and run == other) for other in runs[:index]):
                raise SoundviewsError(
                    f"{name!r} names {source_name(run)} twice: its interval is over different pretrainings"
                )
    return dict(pairs)


def _refuse_twice(runs: Sequence[str], form: str) -> None:
    for run, times in Counter(runs).items():
        if times > 1:
            raise SoundviewsError(f"{run} is given {times} times: name each, as in {form.format(run)}")


def _split(text: str) -> tuple[str, tuple[str, ...]]:
    """The name, if one is given, and the runs. A path that exists is itself, whatever characters it has."""
    if Path(text).exists():
        return "", (text,)
    name, equals, rest = text.partition("=")
    if not equals or "/" in name or name.startswith(HEAR):  # an equals sign in a path or in a file of weights
        name, rest = "", text
    runs = (rest,) if _is_single(rest) else tuple(part.strip() for part in rest.split(",") if part.strip())
    if not runs:
        raise SoundviewsError(f"{text!r} names no run")
    if len(runs) > 1 and not name:
        raise SoundviewsError(f"several runs of one system need a name, as in NAME={rest}")
    return name.strip(), runs


def _is_single(text: str) -> bool:
    """Whether this is one run or one file of weights, commas and all."""
    path = text.partition("@")[2] if text.startswith(HEAR) else text
    return bool(path) and Path(path).exists()


def _names(runs: Sequence[Source]) -> list[str]:
    """What each run is called, with as many parts of its path as tell it apart from the others."""
    parts = [_name_parts(run) for run in runs]
    depth = [1] * len(runs)
    while True:
        names = ["/".join(path[-count:]) for path, count in zip(parts, depth, strict=True)]
        clash = [row for row, name in enumerate(names) if names.count(name) > 1 and depth[row] < len(parts[row])]
        if not clash:
            return names
        for row in clash:
            depth[row] += 1


def _name_parts(run: Source) -> tuple[str, ...]:
    """What a run may be called after, the last part first choice."""
    text = source_name(run)
    if not isinstance(run, str | Path):
        return (text,)
    if text == LOG_MEL:
        return ("log-mel statistics",)
    if text.startswith(LOG_MEL_OF):
        return (log_mel_name(text.removeprefix(LOG_MEL_OF)),)
    if text.startswith(HEAR):
        return (text.removeprefix(HEAR),)
    parts = Path(text).resolve().parts[1:]
    return parts[:-1] if len(parts) > 1 and parts[-1] == "bundle" else parts
