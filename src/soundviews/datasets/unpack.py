"""Unpacking a zip or tar archive that nobody vouches for: whole or not at all, and nothing outside of one folder."""

import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from soundviews.core.errors import SoundviewsError

SUFFIXES = (".zip", ".tar.gz", ".tgz")
Entry = tuple[str, IO[bytes] | None]  # (name, content), no content for a folder


def unpack(archive: Path, destination: Path) -> None:
    """Unpack all files of `archive` to `destination`, where they join what is there.

    They are unpacked beside it and moved when all are there: what is new in `destination` appears whole.

    Args:
        archive: Its name ends in one of SUFFIXES.
        destination: Made if it is not there.

    Raises:
        SoundviewsError: The archive is damaged, holds a link or would write outside of `destination`, or does not fit
            on the disk; nothing is unpacked then.
    """
    unfinished = destination / f".{archive.name}.unpacking"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name, content in _zipped(archive) if archive.suffix == ".zip" else _tarred(archive):
            _write(unfinished / _inside(archive, name), content)
        _move(unfinished, destination)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, NotImplementedError) as error:
        raise SoundviewsError(f"{archive} is no sound archive: {error}") from error
    except OSError as error:
        raise SoundviewsError(f"cannot unpack {archive} to {destination}: {error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _zipped(archive: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(archive) as content:
        entries = content.infolist()
        _needs(archive, sum(entry.file_size for entry in entries))
        for entry in entries:  # before anything is written: one that lies is enough to trust none
            _inside(archive, entry.filename)
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise SoundviewsError(f"{archive} holds a link, {entry.filename!r}; nothing was unpacked")
        for entry in entries:
            if entry.is_dir():
                yield entry.filename, None
            else:
                with content.open(entry) as file:
                    yield entry.filename, file


def _tarred(archive: Path) -> Iterator[Entry]:
    """In one pass, because finding the end of a compressed one means decompressing all of it."""
    _needs(archive, archive.stat().st_size)
    with tarfile.open(archive, "r|gz") as content:
        while (entry := content.next()) is not None:
            content.members.clear()  # type: ignore[attr-defined]  # it would keep all, 300,000 for NSynth
            if not (entry.isfile() or entry.isdir()):
                raise SoundviewsError(f"{archive} holds a link or device, {entry.name!r}; nothing was unpacked")
            yield entry.name, content.extractfile(entry) if entry.isfile() else None


def _needs(archive: Path, needed: int) -> None:
    """Fail early where at least `needed` bytes do not fit beside the archive."""
    if needed > (free := shutil.disk_usage(archive.parent).free):
        raise SoundviewsError(f"{archive} needs {needed:,} bytes in {archive.parent}, where {free:,} are free")


def _inside(archive: Path, name: str) -> PurePosixPath:
    """An entry's name as a relative path that leads nowhere else."""
    path = PureWindowsPath(name)  # takes both slashes, and knows drives
    if path.anchor or ".." in path.parts:
        raise SoundviewsError(f"{archive} holds {name!r}, which lies outside of its folder; nothing was unpacked")
    return PurePosixPath(path.as_posix())


def _write(path: Path, content: IO[bytes] | None) -> None:
    if content is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)


def _move(source: Path, target: Path) -> None:
    """Move what is in one folder into another on the same disk; folders that are in both are joined."""
    for path in list(source.iterdir()):
        if path.is_dir() and (target / path.name).is_dir():
            _move(path, target / path.name)
        else:
            os.replace(path, target / path.name)
