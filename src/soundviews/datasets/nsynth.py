"""NSynth: 305,979 notes of 4 s at 16 kHz, 11 families of instruments (Engel et al. 2017).

Layout: nsynth-train/, nsynth-valid/ and nsynth-test/, each with examples.json and audio/*.wav.
"""

import mmap
import re
from pathlib import Path
from typing import ClassVar

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.listing import listed
from soundviews.datasets.origin import Archive, Origin
from soundviews.datasets.registry import datasets

SPLITS = {"train": "train", "validation": "valid", "test": "test"}  # ours -> in the folders' names
# In the order of the dataset's own numbers.
FAMILIES = ["bass", "brass", "flute", "guitar", "keyboard", "mallet", "organ", "reed", "string", "synth_lead", "vocal"]
MD5 = {
    "train": "fde6665a93865503ba598b9fac388660",
    "valid": "87e94a00a19b6dbc99cf6d4c0c0cae87",
    "test": "5e6f8719bf7e16ad0a00d518b78af77d",
}
NOTE = re.compile(rb'"note_str"\s*:\s*"([^"]+)"')
FAMILY = re.compile(rb'"instrument_family_str"\s*:\s*"([^"]+)"')


@datasets.register("nsynth")
class NSynth:
    """The family of the instrument is the class; the official splits, no instrument of train is in the others."""

    origin = Origin(
        about="NSynth: 305,979 notes of 4 s, 11 families of instruments",
        licence="CC BY 4.0",
        archives=tuple(
            Archive(
                f"http://download.magenta.tensorflow.org/datasets/nsynth/nsynth-{part}.jsonwav.tar.gz", f"md5:{md5}"
            )
            for part, md5 in MD5.items()
        ),
    )
    published: ClassVar[dict[str, int]] = {"train": 289205, "validation": 12678, "test": 4096, "classes": 11}

    @staticmethod
    def matches(root: Path) -> bool:
        return any(_examples(root, split).is_file() for split in SPLITS)

    @staticmethod
    def read(root: Path) -> Corpus:
        """The splits that are there.

        Raises:
            SoundviewsError: An examples.json cannot be understood, or none of the notes are there.
        """
        paths, labels, splits = [], [], []
        for split, part in SPLITS.items():
            if _examples(root, split).is_file():
                for note, family in _notes(_examples(root, split)):
                    paths.append(f"nsynth-{part}/audio/{note}.wav")
                    labels.append([family])
                    splits.append(split)
        return listed(root, "nsynth-*/examples.json", paths, vocabulary=FAMILIES, labels=labels, splits=splits)


def _examples(root: Path, split: str) -> Path:
    return root / f"nsynth-{SPLITS[split]}" / "examples.json"


def _notes(path: Path) -> list[tuple[str, str]]:
    """(name, family) of each note; found by their keys, because parsing the 200 MB of train takes gigabytes."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            notes = [match[1].decode() for match in NOTE.finditer(text)]
            families = [match[1].decode() for match in FAMILY.finditer(text)]
            whole = text[-16:].rstrip().endswith(b"}")
    except (OSError, ValueError) as error:
        raise SoundviewsError(f"cannot read {path}: {error}") from error
    if not notes or len(notes) != len(families) or not whole:
        raise SoundviewsError(
            f"{path} is cut off or no list of notes: it has {len(notes):,} names (note_str) and {len(families):,} "
            "families (instrument_family_str)"
        )
    if unknown := set(families) - set(FAMILIES):
        raise SoundviewsError(f"{path} has a family {min(unknown)!r}, which is none of {', '.join(FAMILIES)}")
    return list(zip(notes, families, strict=True))
