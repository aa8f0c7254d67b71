"""What of a dataset is not there yet: downloaded, checked and unpacked."""

from pathlib import Path
from typing import Any

from soundviews.core.progress import bar
from soundviews.datasets.download import download, part_size
from soundviews.datasets.origin import Archive, Origin
from soundviews.datasets.unpack import SUFFIXES, unpack


def fetch(
    origin: Origin,
    root: Path,
    url_base: str | None = None,
    keep_archives: bool = False,
    progress: bool = False,
) -> None:
    """Bring the archives of a dataset to `root`; those of an earlier call are not fetched again.

    Args:
        origin: What to fetch.
        root: Folder of the dataset.
        url_base: A folder on a server with the same files, instead of their own addresses.
        keep_archives: Keep each archive beside what came out of it.
        progress: Show a bar for each archive.

    Raises:
        SoundviewsError: As `download` and `unpack`; what is done by then is kept.
    """
    for archive in origin.archives:
        name = archive.url.rpartition("/")[2]
        url = f"{url_base.rstrip('/')}/{name}" if url_base else archive.url
        if not name.endswith(SUFFIXES):
            _download(url, root / archive.folder / name, archive.checksum, progress)
        elif not (done := _mark(root, archive)).exists():
            _download(url, root / name, archive.checksum, progress)
            unpack(root / name, root / archive.folder)
            done.touch()
            if not keep_archives:
                (root / name).unlink()


def _download(url: str, path: Path, checksum: str, progress: bool) -> None:
    with bar(path.name, None, "bytes", progress) as advance:
        # What an earlier call brought says nothing of the speed.
        advance.skip(part_size(path))
        download(url, path, checksum, lambda received, total: advance.reach(received, total=total))


def _mark(root: Path, archive: Archive) -> Path:
    """The empty file that says that an archive was unpacked."""
    return root / f".{archive.url.rpartition('/')[2]}.unpacked"


def located(dataset: Any, root: Path) -> Path | None:
    """`root` or the first of its folders that has the dataset's layout: many archives bring a folder of their own."""
    folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return next((path for path in (root, *folders) if dataset.matches(path)), None)
