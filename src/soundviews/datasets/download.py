"""Fetching one file: resumed where it stopped, and checked."""

import errno
import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from soundviews.core.errors import SoundviewsError, option
from soundviews.core.files import move_whole
from soundviews.core.version import __version__

Progress = Callable[[int, int | None], None]  # (bytes so far, bytes in all if known)
BLOCK = 1 << 20
LATER = (408, 429, 500, 502, 503, 504)  # worth another attempt


class _Interrupted(Exception):
    """The transfer stopped before its end; what came is kept."""


def download(
    url: str, path: Path, expected: str, progress: Progress | None = None, attempts: int = 5, pause: float = 2.0
) -> Path:
    """Fetch `url` to `path`, going on with `path`.part if an earlier call left one.

    Args:
        url: http or https.
        path: Where the file goes once its checksum is right; a file that is there and right is not fetched again.
        expected: Checksum: "md5:..." or "sha256:...", hexadecimal.
        progress: Told after each block how many bytes are there.
        attempts: Give up after this many in a row that brought nothing.
        pause: Seconds before the second attempt; doubles with each further one.

    Raises:
        SoundviewsError: The server refuses or cannot be reached, the disk is full, or the checksum stays wrong.
    """
    if not url.startswith(("http://", "https://")):
        raise SoundviewsError(f"{url} is not an address that begins with http:// or https://")
    kind = expected.partition(":")[0]
    if path.is_file() and checksum(path, kind) == expected:
        return path
    part = _part(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        went_on = _fetch(url, part, progress, attempts, pause)
        if checksum(part, kind) != expected and went_on:  # the file may have changed on the server in between
            part.unlink()
            _fetch(url, part, progress, attempts, pause)
        if (received := checksum(part, kind)) != expected:
            part.unlink()
            raise SoundviewsError(
                f"{url} arrived with {received} instead of {expected}; it was removed. The same command fetches it "
                f"anew; if it differs again, the file was changed since {expected} was published"
            )
        move_whole(part, path)
    except OSError as error:
        full = " (the disk is full; what came is kept, the same command goes on)" if error.errno == errno.ENOSPC else ""
        raise SoundviewsError(f"cannot write {path}: {error.strerror or error}{full}") from error
    return path


def part_size(path: Path) -> int:
    """The bytes of `path` that an interrupted download has left."""
    return _size(_part(path))


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def checksum(path: Path, kind: str) -> str:
    """A file's checksum as "md5:..." or "sha256:..."; `kind` is the part before the colon."""
    with path.open("rb") as file:
        return f"{kind}:{hashlib.file_digest(file, kind).hexdigest()}"


def _fetch(url: str, part: Path, progress: Progress | None, attempts: int, pause: float) -> bool:
    """Bring `part` to its full length; returns whether it holds bytes of more than one transfer."""
    failures, went_on = 0, False
    while True:
        before = _size(part)
        went_on |= before > 0
        try:
            _transfer(url, part, progress)
            return went_on
        except _Interrupted as error:
            failures = 1 if _size(part) > before else failures + 1
            if failures >= attempts:
                if kept := _size(part):
                    then = f"{kept:,} bytes are kept in {part}; the same command goes on from there"
                else:
                    then = f"Nothing came: try again when there is a network; {_mirror()}"
                raise SoundviewsError(f"{url}: {error}. {then}") from error
            time.sleep(pause * 2 ** (failures - 1))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _transfer(url: str, part: Path, progress: Progress | None) -> None:
    """One request; appends to `part` if the server honours the range, else writes it anew."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": f"soundviews/{__version__}"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            appends = response.status == 206 and _first_byte(response) == have
            if response.status == 206 and not appends:
                part.unlink()
                raise _Interrupted("the server sent another range than was asked for")
            _receive(response, part, have if appends else 0, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing beyond what is there: complete, or not a piece of this file
            if _total(error.headers.get("Content-Range")) == have:
                return
            part.unlink(missing_ok=True)
            raise _Interrupted("what was kept is longer than the file") from error
        if error.code in LATER:
            raise _Interrupted(f"the server answered {error.code} {error.reason}") from error
        raise SoundviewsError(f"{url}: the server answered {error.code} {error.reason}; {_mirror()}") from error
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _Interrupted(f"the connection failed ({getattr(error, 'reason', None) or error})") from error


def _receive(response: http.client.HTTPResponse, part: Path, have: int, progress: Progress | None) -> None:
    length = response.headers.get("Content-Length")
    total = have + int(length) if length is not None else None
    with part.open("ab" if have else "wb") as file:
        # a closed connection ends the stream like the end of the file does; only the length tells them apart
        while block := response.read1(BLOCK):
            file.write(block)
            have += len(block)
            if progress:
                progress(have, total)
    if total is not None and have < total:
        raise _Interrupted(f"the connection closed after {have:,} of {total:,} bytes")


def _first_byte(response: http.client.HTTPResponse) -> int:
    """The 5 of `Content-Range: bytes 5-9/10`; -1 without that header."""
    text = response.headers.get("Content-Range", "").removeprefix("bytes ").split("-")[0]
    return int(text) if text.isdigit() else -1


def _total(content_range: str | None) -> int | None:
    """The 10 of `Content-Range: bytes */10`."""
    text = (content_range or "").rpartition("/")[2]
    return int(text) if text.isdigit() else None


def _mirror() -> str:
    return f"a mirror may have it ({option('url_base')})"
