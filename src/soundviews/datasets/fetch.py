"""What of a dataset is not there yet: downloaded, checked and unpacked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from soundviews.datasets.download import Progress, download
from soundviews.datasets.origin import Archive, Origin
from soundviews.datasets.unpack import SUFFIXES, unpack


def fetch(
    origin: Origin,
    root: Path,
    url_base: str | None = None,
    keep_archives: bool = False,
    progress: Callable[[str], Progress] | None = None,
) -> None:
    """Bring the archives of a dataset to `root`; those of an earlier call are not fetched again.

    Args:
        origin: What to fetch.
        root: Folder of the dataset.
        url_base: A folder on a server with the same files, instead of their own addresses.
        keep_archives: Keep each archive beside what came out of it.
        progress: Given an archive's name, returns what is told of its download.

    Raises:
        SoundviewsError: As `download` and `unpack`; what is done by then is kept.
    """
    for archive in origin.archives:
        name = archive.url.rpartition("/")[2]
        url = f"{url_base.rstrip('/')}/{name}" if url_base else archive.url
        if not name.endswith(SUFFIXES):
            download(url, root / archive.folder / name, archive.checksum, progress and progress(name))
        elif not (done := _mark(root, archive)).exists():
            download(url, root / name, archive.checksum, progress and progress(name))
            unpack(root / name, root / archive.folder)
            done.touch()
            if not keep_archives:
                (root / name).unlink()


def _mark(root: Path, archive: Archive) -> Path:
    """The empty file that says that an archive was unpacked."""
    return root / f".{archive.url.rpartition('/')[2]}.unpacked"


def located(dataset: Any, root: Path) -> Path | None:
    """`root` or the first of its folders that has the dataset's layout: many archives bring a folder of their own."""
    folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return next((path for path in (root, *folders) if dataset.matches(path)), None)
