"""Where things are kept between runs, and how files and folders are written whole: all of one, or nothing of it.

What is being written has a temporary, hidden name beside its own; it takes its own name when all is on the disk. So a
kill, a power cut or a full disk leaves what was there before.
"""

import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

STALE_SECONDS = 3600  # after which nobody is writing any more


def cache_directory(*parts: str) -> Path:
    """`$SOUNDVIEWS_CACHE`, else `~/.cache/soundviews`, and below it; not created."""
    root = os.environ.get("SOUNDVIEWS_CACHE")
    base = Path(root) if root else Path.home() / ".cache" / "soundviews"
    return base.joinpath(*parts)


@contextmanager
def written_whole(path: Path, beside: Path | None = None) -> Iterator[Path]:
    """A temporary path that takes the name of the file `path` when the block ends well, and is removed otherwise.

    Args:
        path: The file; its folder is made if it is not there.
        beside: The folder for the temporary path, on the same disk; by default the file's own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path, beside or path.parent)
    try:
        yield temporary
        move_whole(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def all_written_whole(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Temporary paths that take the names of the files `paths` when the block ends well, and are removed otherwise."""
    with ExitStack() as stack:
        yield [stack.enter_context(written_whole(path)) for path in paths]


def write_text_whole(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def move_whole(temporary: Path, path: Path) -> None:
    """Give the file `temporary` the name `path`, on the same disk, once its bytes are there."""
    _sync(temporary)
    os.replace(temporary, path)


@contextmanager
def folder_written_whole(path: Path, replace: bool = False) -> Iterator[Path]:
    """A temporary folder that takes the name `path` when the block ends well, and is removed otherwise.

    Args:
        path: The folder; those above it are made if they are not there.
        replace: Whether it takes the place of a folder that is there and not empty. Without, the folder that is there
            stays: another process was first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path, path.parent)
    temporary.mkdir()
    try:
        yield temporary
        # Its manifests and large files; the thousands of clips that may lie deeper would take minutes.
        for file in temporary.iterdir():
            if file.is_file():
                _sync(file)
        if replace and path.exists():
            _exchange(temporary, path)
        else:
            _move_unless_there(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files in a folder that killed processes have left."""
    for entry in os.scandir(folder) if folder.is_dir() else ():
        if entry.name.startswith(".") and entry.is_file() and time.time() - entry.stat().st_mtime > STALE_SECONDS:
            os.unlink(entry)


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


def _temporary(path: Path, folder: Path) -> Path:
    """A name that nobody else uses, and not too long for the disk whatever the path's own is."""
    return folder / f".{path.name[:50]}.{os.urandom(6).hex()}"


def _sync(path: Path) -> None:
    with open(path, "r+b") as file:  # Windows syncs only what may be written to
        os.fsync(file.fileno())


def _exchange(temporary: Path, path: Path) -> None:
    """Put one folder in the place of another, which is removed last, so that a kill leaves one or the other whole."""
    older = _temporary(path, path.parent)
    os.replace(path, older)
    try:
        os.replace(temporary, path)
    except OSError:
        os.replace(older, path)
        raise
    shutil.rmtree(older, ignore_errors=True)


def _move_unless_there(temporary: Path, path: Path) -> None:
    with suppress(OSError):
        path.rmdir()  # if it is empty, which Windows does not replace either
    try:
        os.replace(temporary, path)
    except OSError:
        if not path.is_dir():
            raise
