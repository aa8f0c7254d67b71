"""Names for the channel files of recordings."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class Part(NamedTuple):
    """A clip to separate. path: from the corpus's root; start, end: seconds, end None for the recording's."""

    path: str
    start: float = 0.0
    end: float | None = None


def output_names(parts: Sequence[Part]) -> list[str]:
    """A different name for each part: its path without the suffix; with it, or with its start, where need be.

    No name leads out of the folder that it is for.
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
    return names


def _inside(path: str) -> str:
    """A path without what leads above its root."""
    while path.startswith("../"):
        path = path[3:]
    return path
