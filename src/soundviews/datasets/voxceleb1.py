"""VoxCeleb1: 153,516 utterances of 1,251 speakers, cut from videos (Nagrani et al. 2017).

Layout: iden_split.txt, and wav/idNNNNN/VIDEO/NNNNN.wav with the development and the test archive in one folder.
"""

from pathlib import Path
from typing import ClassVar

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.listing import listed, read_fields
from soundviews.datasets.origin import Archive, Origin
from soundviews.datasets.registry import datasets

LIST = "iden_split.txt"
SPLITS = {"1": "train", "2": "validation", "3": "test"}


@datasets.register("voxceleb1")
class VoxCeleb1:
    """The speaker is the class; the splits are the official ones for identification: every speaker is in all three."""

    origin = Origin(
        about="VoxCeleb1: 153,516 utterances from videos, 352 h, 1,251 speakers, for identification",
        licence="Creative Commons Attribution; the videos belong to their owners",
        archives=(
            Archive(
                f"https://www.robots.ox.ac.uk/~vgg/data/voxceleb/meta/{LIST}",
                "sha256:3c1d792d4058861cd476a27cc942c824f7e9df812864115a7c2b12df97edfbbf",
            ),
        ),
        instructions=(
            "The recordings are given to those who register: see "
            "https://www.robots.ox.ac.uk/~vgg/data/voxceleb/vox1.html. Join the four parts vox1_dev_wav_partaa to "
            "partad to one zip, and unpack it and vox1_test_wav.zip beside iden_split.txt, so that both fill one "
            "folder wav/ with 1,251 folders id10001 to id11251."
        ),
    )
    published: ClassVar[dict[str, int]] = {"train": 138361, "validation": 6904, "test": 8251, "classes": 1251}

    @staticmethod
    def matches(root: Path) -> bool:
        return (root / LIST).is_file() and (root / "wav").is_dir()

    @staticmethod
    def read(root: Path) -> Corpus:
        """The utterances of the official list.

        Raises:
            SoundviewsError: The list cannot be understood, or none of its utterances are there.
        """
        rows = read_fields(root / LIST, ("1, 2 or 3", "SPEAKER/VIDEO/NNNNN.wav"), " ")
        for number, (split, path) in enumerate(rows, start=1):
            if split not in SPLITS or path.count("/") != 2:
                raise SoundviewsError(
                    f"{root / LIST}, line {number}: {split} {path} is not 1, 2 or 3 and SPEAKER/VIDEO/NNNNN.wav"
                )
        return listed(
            root,
            root / LIST,
            [f"wav/{path.strip()}" for _, path in rows],
            labels=[[path.split("/")[0]] for _, path in rows],
            splits=[SPLITS[split] for split, _ in rows],
        )
