"""ESC-50: 2,000 recordings of 5 s, 50 classes, 5 folds (Piczak 2015). Layout: meta/esc50.csv and audio/."""

from pathlib import Path

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.listing import listed
from soundviews.datasets.registry import datasets
from soundviews.datasets.table import read_table

COLUMNS = ("filename", "fold", "target", "category")


@datasets.register("esc50")
class Esc50:
    """The whole dataset or some folds of it; the recordings may be kept in another format than wav."""

    @staticmethod
    def matches(root: Path) -> bool:
        return (root / "meta" / "esc50.csv").is_file() and (root / "audio").is_dir()

    @staticmethod
    def read(root: Path) -> Corpus:
        """One label each, folds 1 to 5; class indices are the official targets if all 50 classes are there.

        Raises:
            SoundviewsError: The table cannot be understood or none of its recordings are there.
        """
        table = root / "meta" / "esc50.csv"
        rows = read_table(table, COLUMNS)
        try:
            order = sorted({(int(row["target"]), row["category"]) for row in rows})
            folds = [int(row["fold"]) for row in rows]
        except ValueError as error:
            raise SoundviewsError(f"{table}: fold and target must be whole numbers ({error})") from error
        return listed(
            root,
            table,
            [f"audio/{row['filename']}" for row in rows],
            labels=[[row["category"]] for row in rows],
            folds=folds,
            vocabulary=[name for _, name in order],
        )
