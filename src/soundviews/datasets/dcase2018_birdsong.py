"""DCASE 2018 task 3, bird audio detection: 35,690 clips of 10 s, a bird in them or not (Stowell et al. 2018).

Layout: the three tables of the development data, and the recordings of each in DATASET/wav/, DATASET being what the
tables call it: ff1010bird, warblrb10k, BirdVox-DCASE-20k.
"""

from pathlib import Path
from typing import ClassVar

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.listing import listed
from soundviews.datasets.origin import Origin
from soundviews.datasets.registry import datasets
from soundviews.datasets.splits import divide
from soundviews.datasets.table import numbered_rows

TABLES = ("ff1010bird_metadata_2018.csv", "warblrb10k_public_metadata_2018.csv", "BirdVoxDCASE20k_csvpublic.csv")
LABELS = {"0": "no bird", "1": "bird"}


@datasets.register("dcase2018_birdsong")
class Dcase2018Birdsong:
    """A bird or none. The labels of the challenge's test data were never published, so the development data is divided.

    Of each of the three datasets, with a bird and without, 80 % of the clips train; the seed is 0, dataset and name of
    the clip decide. Clips of one recorder or one phone may be on both sides: the tables do not say which they are.
    """

    origin = Origin(
        about="DCASE 2018 birdsong detection: 35,690 clips of 10 s, with a bird or without",
        licence="CC BY 4.0",
        instructions=(
            "We found no list of checksums of these archives, so they are fetched by hand; Zenodo and archive.org show "
            "each file's MD5 on its page. Recordings: "
            "https://archive.org/download/ff1010bird/ff1010bird_wav.zip, "
            "https://archive.org/download/warblrb10k_public/warblrb10k_public_wav.zip and "
            "https://zenodo.org/records/1208080/files/BirdVox-DCASE-20k.zip; each holds a folder wav/, which goes "
            "into a folder ff1010bird, warblrb10k or BirdVox-DCASE-20k. Tables: https://ndownloader.figshare.com/files/"
            "10853303, 10853306 and 10853300, saved beside these folders as ff1010bird_metadata_2018.csv, "
            "warblrb10k_public_metadata_2018.csv and BirdVoxDCASE20k_csvpublic.csv."
        ),
    )
    published: ClassVar[dict[str, int]] = {"clips": 35690, "classes": 2}

    @staticmethod
    def matches(root: Path) -> bool:
        return any((root / name).is_file() for name in TABLES)

    @staticmethod
    def read(root: Path) -> Corpus:
        """The clips of the tables that are there.

        Raises:
            SoundviewsError: A table cannot be understood, or none of the clips are there.
        """
        tables = [root / name for name in TABLES if (root / name).is_file()]
        rows = [row for table in tables for row in _clips(table)]
        paths = [f"{dataset}/wav/{item}.wav" for dataset, item, _ in rows]
        return listed(
            root,
            ", ".join(table.name for table in tables),
            paths,
            labels=[[label] for _, _, label in rows],
            splits=divide(
                paths, {"train": 0.8, "test": 0.2}, seed=0, within=[f"{dataset} {label}" for dataset, _, label in rows]
            ),
            vocabulary=list(LABELS.values()),
        )


def _clips(table: Path) -> list[tuple[str, str, str]]:
    """(dataset, clip, label) of each row."""
    rows = []
    for line, row in numbered_rows(table, ("itemid", "datasetid", "hasbird")):
        if row["hasbird"] not in LABELS:
            raise SoundviewsError(f"{table}, line {line}: hasbird is {row['hasbird']!r}, not 0 or 1")
        rows.append((row["datasetid"], row["itemid"].removesuffix(".wav"), LABELS[row["hasbird"]]))
    return rows
