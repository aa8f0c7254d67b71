"""Where things are kept between runs, and how they get there whole."""

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_directory(*parts: str) -> Path:
    """`$SOUNDVIEWS_CACHE`, else `~/.cache/soundviews`, and below it; not created."""
    root = os.environ.get("SOUNDVIEWS_CACHE")
    base = Path(root) if root else Path.home() / ".cache" / "soundviews"
    return base.joinpath(*parts)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and is removed otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def keep(path: Path, write: Callable[[Path], None]) -> bool:
    """Have `write` make the file `path` in the cache; where that cannot be, work goes on without, and says so."""
    try:
        with written_whole(path) as temporary:
            write(temporary)
    except OSError as error:
        warnings.warn(
            f"nothing can be kept in {path.parent} ({error.strerror or error}); set SOUNDVIEWS_CACHE to a folder "
            "that can be written to",
            stacklevel=2,
        )
        return False
    return True
