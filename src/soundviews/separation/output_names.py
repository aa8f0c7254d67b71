"""Names for the channel files of recordings."""

import os
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

LONGEST = 240  # bytes of a name, to which the channel and the suffix come; disks take 255


class Part(NamedTuple):
    """A clip to separate. path: from the corpus's root; start, end: seconds, end None for the recording's."""

    path: str
    start: float = 0.0
    end: float | None = None


def output_names(parts: Sequence[Part]) -> list[str]:
    """A different name for each part: its path without the suffix; with it, or with its start, where need be.

    No name leads out of the folder that it is for, and what is too long for a disk ends in a hash instead.
    """
    paths = [_inside(part.path) for part in parts]
    names = [os.path.splitext(path)[0] for path in paths]
    refined = (
        paths,
        [f"{path}_{part.start:g}s" for path, part in zip(paths, parts, strict=True)],
        [f"{path}_{part.start:g}s_{number}" for number, (path, part) in enumerate(zip(paths, parts, strict=True))],
    )
    for others in refined:
        counts = Counter(names)
        names = [other if counts[name] > 1 else name for name, other in zip(names, others, strict=True)]
    return [_short(name) for name in names]


def _short(path: str) -> str:
    """A path whose last name is at most LONGEST bytes."""
    folder, _, name = path.rpartition("/")
    data = os.fsencode(name)
    if len(data) <= LONGEST:
        return path
    ending = f"~{blake2b(os.fsencode(path), digest_size=8).hexdigest()}"
    begin = data[: LONGEST - len(ending)].decode(errors="ignore")  # never half a letter
    return os.path.join(folder, begin + ending).replace(os.sep, "/")


def _inside(path: str) -> str:
    """A path without what leads above its root."""
    while path.startswith("../"):
        path = path[3:]
    return path
