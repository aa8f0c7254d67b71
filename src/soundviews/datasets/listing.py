"""Lists of recordings without a header, and the corpus of what is listed and there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.table import present


def read_fields(path: Path, fields: Sequence[str], separator: str) -> list[list[str]]:
    """Rows of a text file without a header, each as long as `fields`; the last field may hold the separator.

    Raises:
        SoundviewsError: The file is missing, not UTF-8, or a line has fewer fields.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SoundviewsError(f"cannot read {path}: {error}") from error
    rows = [line.split(separator, len(fields) - 1) for line in lines]
    for number, row in enumerate(rows, start=1):
        if len(row) < len(fields):
            wanted = {"\t": "tabs", " ": "spaces"}.get(separator, repr(separator))
            raise SoundviewsError(f"{path}, line {number}: expected {', '.join(fields)} with {wanted} between them")
    return rows


def listed(
    root: Path,
    listing: Path | str,
    paths: Sequence[str],
    vocabulary: Sequence[str] | None = None,
    **columns: Sequence[Any],
) -> Corpus:
    """The corpus of those of `paths` (relative to `root`) that are there; the others are skipped.

    Args:
        root: Folder of the dataset.
        listing: What names the recordings, for the error.
        paths: One a clip.
        vocabulary: Order of the classes; by default their names sorted, of all that is listed.
        columns: labels, splits or folds, as `Corpus.from_columns` takes them, as long as `paths`.

    Raises:
        SoundviewsError: None of the recordings is there.
    """
    kept, skipped = present(root, paths)
    if not kept:
        raise SoundviewsError(f"none of the {len(paths):,} recordings that {listing} lists are in {root}")
    if vocabulary is None:
        vocabulary = sorted({name for names in columns.get("labels", ()) for name in names})
    return Corpus.from_columns(
        root,
        paths=[paths[i] for i in kept],
        vocabulary=vocabulary,
        skipped=skipped,
        **{name: [values[i] for i in kept] for name, values in columns.items()},
    )
