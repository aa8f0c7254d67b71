"""LibriSpeech train-clean-100: 28,539 utterances of 251 speakers, to be told by their voices (Panayotov et al. 2015).

Layout: SPEAKERS.TXT, train-clean-100/SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt and SPEAKER-CHAPTER-NNNN.flac.
"""

from pathlib import Path
from typing import ClassVar

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.listing import listed, read_fields
from soundviews.datasets.origin import Archive, Origin
from soundviews.datasets.registry import datasets
from soundviews.datasets.splits import divide

SUBSET = "train-clean-100"


@datasets.register("librispeech")
class LibriSpeech:
    """The speaker's number is the class. Nobody published a split: of every speaker 80 % of the utterances train.

    The seed is 0, the utterance's name decides. Two utterances of one chapter, read at one sitting, may be on both
    sides, because many speakers read only one or two chapters.
    """

    origin = Origin(
        about="LibriSpeech train-clean-100: 28,539 read utterances, 100 h, 251 speakers",
        licence="CC BY 4.0",
        archives=(
            Archive(
                f"https://www.openslr.org/resources/12/{SUBSET}.tar.gz",
                "sha256:d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2",
            ),
        ),
    )
    published: ClassVar[dict[str, int]] = {"clips": 28539, "classes": 251}

    @staticmethod
    def matches(root: Path) -> bool:
        return (root / "SPEAKERS.TXT").is_file() and (root / SUBSET).is_dir()

    @staticmethod
    def read(root: Path) -> Corpus:
        """The utterances that the transcripts list.

        Raises:
            SoundviewsError: There are no transcripts, one cannot be understood, or no utterance is there.
        """
        transcripts = sorted((root / SUBSET).glob("*/*/*.trans.txt"))
        if not transcripts:
            raise SoundviewsError(f"{root / SUBSET} has no SPEAKER/CHAPTER/*.trans.txt, which list the utterances")
        paths, speakers = [], []
        for transcript in transcripts:
            folder = transcript.parent.relative_to(root).as_posix()
            names = [name for name, _ in read_fields(transcript, ("an utterance's name", "its words"), " ")]
            paths += [f"{folder}/{name}.flac" for name in names]
            speakers += [transcript.parent.parent.name] * len(names)
        return listed(
            root,
            f"{SUBSET}/*/*/*.trans.txt",
            paths,
            labels=[[speaker] for speaker in speakers],
            splits=divide(paths, {"train": 0.8, "test": 0.2}, seed=0, within=speakers),
            vocabulary=sorted(set(speakers), key=lambda name: (len(name), name)),
        )
