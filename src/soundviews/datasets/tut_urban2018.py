"""TUT Urban Acoustic Scenes 2018, development set: 8,640 clips of 10 s, 10 scenes, 6 cities (Mesaros et al. 2018).

Layout: meta.csv, evaluation_setup/fold1_train.txt and fold1_evaluate.txt, audio/*.wav.
"""

from pathlib import Path
from typing import ClassVar

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.listing import listed, read_fields
from soundviews.datasets.origin import Archive, Origin
from soundviews.datasets.registry import datasets
from soundviews.datasets.table import read_table

NAME = "TUT-urban-acoustic-scenes-2018-development"
SETUP = {"train": "fold1_train.txt", "test": "fold1_evaluate.txt"}
MD5 = {
    "meta": "e196065ee83c07af03a11a310364377d",
    "audio.1": "62f97087c447e29def8716204469bf89",
    "audio.2": "8e569a92025d82bff6b02b956d7c6dc9",
    "audio.3": "00d2020582a4535af5e65322fb2bad56",
    "audio.4": "d691eb4271f83ba6ba9a28797accc497",
    "audio.5": "c4d64b5483b60f85e9fe080b3435a6be",
    "audio.6": "2f0feee78f216697eb19497714d97642",
    "audio.7": "07cfefe80a0731de6819181841239f3a",
    "audio.8": "213f3c012859c2e9dcb74aacc8558458",
    "audio.9": "b724442b09abcb3bd095ebff497cef85",
    "audio.10": "a27a32fa52e283ed8013375b8a16f269",
    "audio.11": "7073a121e825ffef99832507f30d6644",
    "audio.12": "6567aa61db12776568b6267ce122fb18",
    "audio.13": "d00eeb2db0e093d8975521323a96c519",
}


@datasets.register("tut_urban2018")
class TutUrban2018:
    """One scene each. Train and test are the official fold 1: no location is in both.

    The labels of the challenge's own evaluation set were never published.
    """

    origin = Origin(
        about="TUT Urban Acoustic Scenes 2018: 8,640 clips of 10 s, 24 h, 10 scenes in 6 cities",
        licence="free for non-commercial research (Tampere University)",
        archives=tuple(
            Archive(f"https://zenodo.org/records/1228142/files/{NAME}.{part}.zip", f"md5:{md5}")
            for part, md5 in MD5.items()
        ),
    )
    published: ClassVar[dict[str, int]] = {"train": 6122, "test": 2518, "classes": 10}

    @staticmethod
    def matches(root: Path) -> bool:
        return (root / "meta.csv").is_file() and (root / "evaluation_setup" / SETUP["train"]).is_file()

    @staticmethod
    def read(root: Path) -> Corpus:
        """The clips of the official setup.

        Raises:
            SoundviewsError: A table cannot be understood, they contradict each other, or none of the clips are there.
        """
        meta = root / "meta.csv"
        scenes = {row["filename"]: row["scene_label"] for row in read_table(meta, ("filename", "scene_label"))}
        paths, splits = [], []
        for split, name in SETUP.items():
            table = root / "evaluation_setup" / name
            for number, (path, scene) in enumerate(read_fields(table, ("audio/NAME.wav", "its scene"), "\t"), start=1):
                if (path, scene) == ("filename", "scene_label"):  # a header, as later editions have
                    continue
                if scenes.get(path) != scene:
                    raise SoundviewsError(
                        f"{table}, line {number}: {path} is {scene!r}, but {meta} says {scenes.get(path, 'nothing')!r}"
                    )
                paths.append(path)
                splits.append(split)
        return listed(root, root / "evaluation_setup", paths, labels=[[scenes[path]] for path in paths], splits=splits)
