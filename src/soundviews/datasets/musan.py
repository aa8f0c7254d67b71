"""MUSAN: 109 hours of music, speech and noise (Snyder, Chen and Povey 2015).

Layout: {music,speech,noise}/SOURCE/*.wav, in the folder itself or in its musan/.
"""

from pathlib import Path
from typing import ClassVar

from soundviews.audio.corpus import Corpus, Skipped
from soundviews.audio.scan import recordings
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.origin import Archive, Origin
from soundviews.datasets.registry import datasets
from soundviews.datasets.splits import divide

# Class to its sources: any folder may be called music, few have these below it.
SOURCES = {
    "music": ("fma", "fma-western-art", "hd-classical", "jamendo", "rfm"),
    "noise": ("free-sound", "sound-bible"),
    "speech": ("librivox", "us-gov"),
}
SHARES = {"train": 0.8, "test": 0.2}
SEED = 0
SECONDS, SHORTEST = 10.0, 1.0  # of a clip


@datasets.register("musan")
class Musan:
    """One label of music, noise and speech; recordings are cut in clips of up to 10 s; splits are ours.

    There is no official split, and the one of cola was not published: 80 % of the recordings of each class are for
    training and 20 % for the test, by a hash of their names. The clips of one recording are in one split.
    """

    origin = Origin(
        about="MUSAN: 2,016 recordings, 109 h of music, speech and noise (Snyder, Chen, Povey)",
        licence="CC BY 4.0; each recording's own licence, all of which allow commercial use, in LICENSE files",
        archives=(
            Archive("https://www.openslr.org/resources/17/musan.tar.gz", "md5:0c472d4fc0c5141eca47ad1ffeb2a7df"),
        ),
    )
    published: ClassVar[dict[str, int]] = {"recordings": 2016, "classes": 3}

    @staticmethod
    def matches(root: Path) -> bool:
        return _home(root) is not None

    @staticmethod
    def read(root: Path) -> Corpus:
        """
        Raises:
            SoundviewsError: There are no recordings.
        """
        home = _home(root)
        skipped: list[Skipped] = []
        found = [(kind, Path(path)) for kind in SOURCES for path, _ in recordings(home / kind, skipped)] if home else []
        if not found:
            raise SoundviewsError(f"no recordings in {', '.join(SOURCES)} in {home or root}")
        kinds = [kind for kind, _ in found]
        corpus = Corpus.from_columns(
            root,
            paths=[str(path.relative_to(root)) for _, path in found],
            labels=[[kind] for kind in kinds],
            splits=divide([path.stem for _, path in found], SHARES, SEED, within=kinds),
            vocabulary=list(SOURCES),
            skipped=skipped,
        )
        # Some recordings last many minutes: a batch of them, padded to the longest, would fill any memory.
        return corpus.cut(SECONDS, SHORTEST)


def _home(root: Path) -> Path | None:
    for home in (root, root / "musan"):
        if all(any((home / kind / source).is_dir() for source in sources) for kind, sources in SOURCES.items()):
            return home
    return None
