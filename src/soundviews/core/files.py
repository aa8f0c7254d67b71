"""How files and folders are written whole: all of one, or nothing of it.

What is being written has a temporary, hidden name beside its own; it takes its own name when all is on the disk. So a
kill, a power cut or a full disk leaves what was there before. A name that is a link stays one: what it leads to is
written.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

STALE_SECONDS = 3600  # after which nobody is writing any more
# As `_temporary` names them, and as earlier versions named folders in the cache.
_TEMPORARY = re.compile(r"\..{1,50}\.[0-9a-f]{12}|\.[0-9a-f]{24}-\w{4,8}", re.DOTALL)


@contextmanager
def written_whole(path: Path, beside: Path | None = None) -> Iterator[Path]:
    """A temporary path that takes the name of the file `path` when the block ends well, and is removed otherwise.

    Args:
        path: The file; its folder is made if it is not there.
        beside: The folder for the temporary path, on the same disk; by default the file's own.
    """
    path = link_target(path)
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
    path = link_target(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    take_up(path)
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


def take_up(path: Path) -> None:
    """Give a folder its name back where a process was killed between the two renames that replace it."""
    aside = _aside(path)
    if aside.is_dir() and not path.exists():
        with suppress(OSError):  # another process has done it, or nothing may be written here
            os.replace(aside, path)


def link_target(path: Path) -> Path:
    """What a link leads to, which may not be there yet; any other path as it is."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def remove_unfinished(folder: Path, name: str = "", seconds: float = STALE_SECONDS) -> None:
    """Remove the temporary files and folders that killed processes have left in a folder; busy ones stay.

    Args:
        name: Only those of the file or folder of this name.
        seconds: Only those that have not changed for so long; 0 where a lock says that nobody else writes there.
    """
    begins, old = f".{name[:50]}." if name else ".", time.time() - seconds
    for entry in os.scandir(folder) if folder.is_dir() else ():
        with suppress(OSError):  # another process removes the same
            if not (is_temporary(entry.name) and entry.name.startswith(begins)) or _last_change(entry) > old:
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry, ignore_errors=True)
            else:
                os.unlink(entry)


def is_temporary(name: str) -> bool:
    """Whether a file or folder of this name is one that is being written, or was when its process was killed."""
    return _TEMPORARY.fullmatch(name) is not None


def _temporary(path: Path, folder: Path) -> Path:
    """A name that nobody else uses, and not too long for the disk whatever the path's own is."""
    return folder / f".{path.name[:50]}.{os.urandom(6).hex()}"


def _last_change(entry: "os.DirEntry[str]") -> float:
    """Seconds since the epoch; a folder's is that of the file in it that was written last."""
    times = [entry.stat(follow_symlinks=False).st_mtime]
    if entry.is_dir(follow_symlinks=False):
        times += [below.stat(follow_symlinks=False).st_mtime for below in os.scandir(entry)]
    return max(times)


def _aside(path: Path) -> Path:
    """Where a folder is while another takes its place."""
    mark = hashlib.blake2b(os.fsencode(path.name), digest_size=4).hexdigest()  # the name itself may be too long
    return path.parent / f".{path.name[:50]}.{mark}.aside"


def _sync_names(folder: Path) -> None:
    """Have the names in a folder on the disk, on systems where a folder can be opened."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with suppress(OSError):  # some network disks sync no folders
                os.fsync(handle)
        finally:
            os.close(handle)


def _sync(path: Path) -> None:
    with open(path, "r+b") as file:  # Windows syncs only what may be written to
        os.fsync(file.fileno())


def _exchange(temporary: Path, path: Path) -> None:
    """Put one folder in the place of another, which is removed last.

    A kill leaves one or the other whole: between the renames, `take_up` gives the older one its name back.
    """
    older = _aside(path)
    shutil.rmtree(older, ignore_errors=True)  # of a process that was killed after both renames
    os.replace(path, older)
    try:
        os.replace(temporary, path)
    except OSError:
        take_up(path)
        raise
    _sync_names(path.parent)
    shutil.rmtree(older, ignore_errors=True)


def _move_unless_there(temporary: Path, path: Path) -> None:
    with suppress(OSError):
        path.rmdir()  # if it is empty, which Windows does not replace either
    try:
        os.replace(temporary, path)
    except OSError:
        if not path.is_dir():
            raise
