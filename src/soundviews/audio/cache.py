"""Where things are kept between runs, and how they get there whole."""

import os
import tempfile
from collections.abc import Iterator
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
