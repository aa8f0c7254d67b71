"""What a later version has made, and this one may not be able to read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from soundviews.core.errors import SoundviewsError
from soundviews.core.extras import MissingExtra
from soundviews.core.version import __version__


def newer_version(made_by: Any) -> str | None:
    """The version that `made_by` begins with ("0.3.0", "soundviews 0.3.0 ..."), if it is later than this one."""
    said = re.match(r"(?:soundviews )?(\d+(?:\.\d+)*)", made_by) if isinstance(made_by, str) else None
    return said[1] if said and _numbers(said[1]) > _numbers(__version__) else None


def upgrade(version: str) -> str:
    """Who made it and what to do, to end a sentence with."""
    return (
        f"made by a newer soundviews ({version}), and this is {__version__}: "
        "pip install --upgrade soundviews, or update the clone"
    )


@contextmanager
def naming_newer(made_by: Any, what: object) -> Iterator[None]:
    """Within the block, an error about `what`, which a later version has made, says so first."""
    try:
        yield
    except MissingExtra:  # upgrading would not bring it
        raise
    except SoundviewsError as error:
        version = newer_version(made_by)
        if version is None:
            raise
        raise SoundviewsError(f"{what} was {upgrade(version)} ({error})") from error


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))
