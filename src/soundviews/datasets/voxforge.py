"""VoxForge: sentences that volunteers read in six languages, the language is to be told (voxforge.org).

Layout: LANGUAGE/SPEAKER-YYYYMMDD-xyz/wav/*.wav (or flac/*.flac), LANGUAGE being de, en, es, fr, it or ru: the archives
of each language, unpacked in one folder.
"""

import re
from pathlib import Path
from typing import ClassVar

from soundviews.audio.corpus import Corpus, Skipped
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.origin import Origin
from soundviews.datasets.registry import datasets
from soundviews.datasets.splits import divide

LANGUAGES = ("de", "en", "es", "fr", "it", "ru")
SUBMISSION = re.compile(r"(?P<speaker>.+?)[-_]\d{8}(?:[-_].*)?")


@datasets.register("voxforge")
class VoxForge:
    """The language is the class. Nobody published a split: by speaker, 70 % train, 10 % validation, 20 % test.

    The seed is 0, the speaker's name decides, so that nobody is in two splits. Each submission of an anonymous speaker
    counts as a speaker of its own; some of these may be the same person.
    """

    origin = Origin(
        about="VoxForge: sentences read by volunteers in 6 languages",
        licence="GPL 3.0",
        instructions=(
            "VoxForge is thousands of small archives without published checksums, and it grows. Fetch those of "
            "http://www.repository.voxforge1.org/downloads/ (LANGUAGE/Trunk/Audio/Main/16kHz_16bit/; English is in "
            "SpeechCorpus/), and unpack the archives of each language in a folder de, en, es, fr, it or ru: "
            "de/guenter-20140214-afn/wav/de5-001.wav."
        ),
    )
    published: ClassVar[dict[str, int]] = {"classes": 6}

    @staticmethod
    def matches(root: Path) -> bool:
        return any(
            next((root / language).glob(f"*-*/{kind}/"), None) for language in LANGUAGES for kind in ("wav", "flac")
        )

    @staticmethod
    def read(root: Path) -> Corpus:
        """All recordings of the languages that are there; a submission without any is skipped.

        Raises:
            SoundviewsError: No recording is there.
        """
        paths, labels, speakers, skipped = [], [], [], []
        for language in LANGUAGES:
            for submission in sorted((root / language).glob("*/")):
                files = sorted([*submission.glob("wav/*.wav"), *submission.glob("flac/*.flac")])
                if not files:
                    skipped.append(Skipped(str(submission), "holds no wav/*.wav and no flac/*.flac"))
                paths += [file.relative_to(root).as_posix() for file in files]
                labels += [[language]] * len(files)
                speakers += [_speaker(submission.name)] * len(files)
        if not paths:
            raise SoundviewsError(f"{root} has no recording in {', '.join(LANGUAGES)}/*/wav and */flac")
        splits = divide(speakers, {"train": 0.7, "validation": 0.1, "test": 0.2}, seed=0)
        return Corpus.from_columns(root, paths, labels=labels, splits=splits, skipped=skipped)


def _speaker(submission: str) -> str:
    """Of a folder such as guenter-20140214-afn; an anonymous one's whole name."""
    match = SUBMISSION.fullmatch(submission)
    speaker = match["speaker"].casefold() if match else submission
    return submission if speaker.startswith("anon") else speaker
