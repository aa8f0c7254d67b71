"""One writer at a time: a lock for every file and folder that takes long to write. Reading never locks.

The lock is a small file that says who holds it, and that the system itself locks (`flock`, or `msvcrt` on Windows), so
that it is free at once when its holder is killed. Some network disks have no such locks. There, what the file says is
the lock: its holder touches it every minute, and it is free once its holder has ended or not touched it for an hour.
"""

import errno
import json
import logging
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from soundviews.core.errors import SoundviewsError, words
from soundviews.core.files import STALE_SECONDS, link_target, remove_unfinished

INSIDE = ".lock"  # the lock's name in a folder that is written file by file
ASK_SECONDS, TOUCH_SECONDS = 0.5, 60.0
LONGEST_NAME = 200  # bytes; the lock's own name is longer
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL)
NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST)

logger = logging.getLogger(__name__)
_held: set[int] = set()  # handles of the locks of this process

if sys.platform == "win32":
    import msvcrt

    def _system_lock(handle: int) -> None:
        os.lseek(handle, 1 << 30, os.SEEK_SET)  # beyond the text, which others read
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
else:
    import fcntl

    def _system_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _forget() -> None:
        while _held:
            os.close(_held.pop())

    os.register_at_fork(after_in_child=_forget)  # a worker that outlives its killed parent holds nothing for it


@contextmanager
def locked(path: Path, *, inside: bool = False, wait: bool | None = None) -> Iterator[None]:
    """Within the block, nobody else who asks for this lock writes `path`, in this process or in another.

    What killed processes have left of it is removed first.

    Args:
        path: The file or folder.
        inside: Whether the lock lies in the folder `path`, and not beside it, as it must for what appears whole.
        wait: Whether to wait for another holder. None: the caller has no such option, and does not wait.

    Raises:
        SoundviewsError: somebody else holds it; the message says who.
    """
    target = link_target(path)
    file = target / INSIDE if inside else target.with_name(f".{_short(target.name)}.lock")
    made = [folder for folder in (file.parent, *file.parent.parents) if not folder.exists()]
    try:
        handle = _acquire(file, path, wait)
    except OSError as error:
        if error.errno not in NOT_WRITABLE:
            raise
        handle = None  # nobody can write there, which the caller says in words of its own
    try:
        if handle is not None:
            remove_unfinished(file.parent, "" if inside else target.name)
        yield
    finally:
        if handle is not None:
            _release(file, handle)
            with suppress(OSError):
                for folder in made:  # in which nothing came to be written
                    folder.rmdir()


def _acquire(file: Path, path: Path, wait: bool | None) -> int:
    told = False
    while (handle := _take(file)) is None:
        who = f"another soundviews{_holder(file)} is writing {path}"
        if not wait:
            instead = "" if wait is None else f", or say {words('--wait', 'wait=True')}"
            raise SoundviewsError(f"{who}: wait for it{instead}")
        if not told:
            logger.info("%s: waiting for it", who)
            told = True
        time.sleep(ASK_SECONDS)
    return handle


def _take(file: Path) -> int | None:
    """The handle of the lock, which this process now holds; None while somebody else does."""
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        except (FileNotFoundError, FileExistsError):
            if os.path.lexists(file.parent) and not file.parent.is_dir():
                raise
            continue  # its last holder has removed the folder that it had made
        try:
            _system_lock(handle)
        except OSError as error:
            if error.errno in NO_LOCKS and _is_left(file):
                _hold(file, handle)
                threading.Thread(target=_touch, args=(file, handle), daemon=True).start()
                return handle
            os.close(handle)
            return None
        with suppress(OSError):
            if os.path.samestat(os.fstat(handle), os.stat(file)):
                return _hold(file, handle)
        os.close(handle)  # its holder has removed the file meanwhile: what is locked is a file without a name


def _hold(file: Path, handle: int) -> int:
    _held.add(handle)
    page = {"pid": os.getpid(), "host": platform.node(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
    with suppress(OSError):  # a full disk: the lock holds without
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps(page).encode())
        os.chmod(file, 0o666)  # whoever may write into the folder may take it over
    return handle


def _release(file: Path, handle: int) -> None:
    if handle not in _held:  # a forked process
        return
    _held.remove(handle)
    with suppress(OSError):  # while it is held, so that nobody else's is removed; Windows removes no open file
        file.unlink()
    os.close(handle)
    if sys.platform == "win32":
        with suppress(OSError):
            file.unlink()


def _page(file: Path) -> dict[str, Any]:
    try:
        page = json.loads(file.read_text(encoding="utf-8"))
        return {"pid": int(page["pid"]), "host": str(page["host"]), "since": str(page["since"])}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _holder(file: Path) -> str:
    page = _page(file)
    return f" (pid {page['pid']} on {page['host']}, since {page['since']})" if page else ""


def _is_left(file: Path) -> bool:
    """Whether nobody holds the lock any more, on a disk without locks of the system."""
    page = _page(file)
    if not page or time.time() - file.stat().st_mtime > STALE_SECONDS:
        return True
    if page["host"] != platform.node() or not hasattr(os, "fork"):
        return False
    try:
        os.kill(page["pid"], 0)  # asks whether the process is there, and sends nothing
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False


def _touch(file: Path, handle: int) -> None:
    with suppress(OSError):
        while handle in _held:
            os.utime(file)
            time.sleep(TOUCH_SECONDS)


def _short(name: str) -> str:
    long = len(os.fsencode(name)) > LONGEST_NAME
    return blake2b(os.fsencode(name), digest_size=12).hexdigest() if long else name
