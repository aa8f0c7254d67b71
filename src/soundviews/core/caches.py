"""The cache: what is kept between runs because it takes time to make, and is made anew where it is lost or damaged.

No work depends on it. Where nothing can be kept (no room, no permission, a file in its place), a warning says so and
work goes on without.
"""

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from soundviews.core.files import remove_unfinished, written_whole


def cache_directory(*parts: str) -> Path:
    """The cache and below it; not created.

    It is `$SOUNDVIEWS_CACHE`, else `soundviews` in `$XDG_CACHE_HOME`, else `~/.cache/soundviews`.
    """
    return _root().joinpath(*parts)


def keep(path: Path, write: Callable[[Path], None]) -> bool:
    """Have `write` make the file `path` in the cache; where that cannot be, work goes on without, and says so."""
    try:
        remove_unfinished(path.parent)
        with written_whole(path) as temporary:
            write(temporary)
    except OSError as error:
        warn_nothing_kept(path.parent, error)
        return False
    return True


def warn_nothing_kept(folder: Path, error: BaseException) -> None:
    """Say that work goes on without the cache. All that is said of one cache is the same, so it is shown once."""
    root = cache_directory()
    shown = root if folder.is_relative_to(root) else folder
    warnings.warn(
        f"what is computed is no longer kept in {shown} ({getattr(error, 'strerror', '') or error}): work goes on "
        "without. Set SOUNDVIEWS_CACHE to a folder that has room and can be written to; commands that take --no-cache "
        "keep nothing with it",
        stacklevel=1,
    )


def discard(path: Path, reason: object) -> None:
    """Remove a file or a folder of the cache that cannot be read, and say so; the caller makes it anew."""
    warnings.warn(f"{path} is damaged ({str(reason) or 'it ends too early'}): it is made anew", stacklevel=1)
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _root() -> Path:
    if root := os.environ.get("SOUNDVIEWS_CACHE"):
        return Path(root)
    above = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(above):  # the specification has relative ones ignored
        return Path(above) / "soundviews"
    try:
        return Path.home() / ".cache" / "soundviews"
    except RuntimeError:  # as in a container whose user is only a number
        user = os.getuid() if hasattr(os, "getuid") else ""
        return Path(tempfile.gettempdir()) / f"soundviews-{user}"
