"""Speech Commands: spoken English words of 1 s (Warden 2018); V1 as 12 classes, V2 as 35.

Layout: a folder a word, _background_noise_/, validation_list.txt and testing_list.txt (WORD/NAME.wav, a line each);
what neither lists is for training. Words that only V2 has tell the two apart.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from soundviews.audio.corpus import Corpus, Skipped
from soundviews.audio.decode import EXTENSIONS
from soundviews.audio.probing import probe_all
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.origin import Archive, Origin
from soundviews.datasets.registry import datasets

COMMANDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
OTHERS = ("bed", "bird", "cat", "dog", "happy", "house", "marvin", "sheila", "tree", "wow")
ONLY_V2 = ("backward", "follow", "forward", "learn", "visual")
SILENCE, UNKNOWN, NOISE = "_silence_", "_unknown_", "_background_noise_"
LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
# Recordings of noise whose pieces are not for training. TensorFlow Datasets has the first, too; its pieces for the test
# are in another archive, with which a folder of the main one would have no silence to test.
NOISE_SPLITS = {"running_tap": "validation", "exercise_bike": "test"}
PIECE, HOP = 1.0, 0.5  # seconds
URL = "http://download.tensorflow.org/data/speech_commands_v0.0{}.tar.gz"


class _Clips(NamedTuple):
    """Columns of a corpus: paths from the root, words (the folders' names), splits, and where clips begin and end."""

    paths: list[str]
    words: list[str]
    splits: list[str]
    starts: list[float]
    ends: list[float | None]


@datasets.register("speech_commands_v1")
class SpeechCommandsV1:
    """12 classes: ten commands, the other twenty words as one, and pieces of noise as silence.

    The noise is cut in pieces of 1 s, half overlapping, as TensorFlow Datasets does it; those of running_tap are for
    validation (likewise), those of exercise_bike for the test, the others for training. Splits are train, validation
    and test.
    """

    origin = Origin(
        about="Speech Commands V1: 64,721 words of 1 s, 30 words read as 12 classes (Warden)",
        licence="CC BY 4.0",
        archives=(Archive(URL.format(1), "sha256:743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d"),),
    )
    # 51,088, 6,798 and 6,835 words and 547, 121 and 121 pieces of silence
    published: ClassVar[dict[str, int]] = {"train": 51_635, "validation": 6_919, "test": 6_956, "classes": 12}

    @staticmethod
    def matches(root: Path) -> bool:
        return _is_speech_commands(root) and not any((root / word).is_dir() for word in ONLY_V2)

    @staticmethod
    def read(root: Path) -> Corpus:
        """
        Raises:
            SoundviewsError: A list names another word or cannot be read, or there are no recordings.
        """
        clips, skipped = _words(root, (*COMMANDS, *DIGITS, *OTHERS))
        skipped += _add_silence(root, clips)
        labels = [[word if word in COMMANDS or word == SILENCE else UNKNOWN] for word in clips.words]
        return _corpus(root, clips, labels, (*COMMANDS, SILENCE, UNKNOWN), skipped)


@datasets.register("speech_commands_v2")
class SpeechCommandsV2:
    """35 words, all of them classes; the noise is left alone. Splits are train, validation and test."""

    origin = Origin(
        about="Speech Commands V2: 105,829 words of 1 s, 35 classes (Warden)",
        licence="CC BY 4.0",
        archives=(Archive(URL.format(2), "sha256:af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"),),
    )
    published: ClassVar[dict[str, int]] = {"train": 84_843, "validation": 9_981, "test": 11_005, "classes": 35}

    @staticmethod
    def matches(root: Path) -> bool:
        return _is_speech_commands(root) and any((root / word).is_dir() for word in ONLY_V2)

    @staticmethod
    def read(root: Path) -> Corpus:
        """
        Raises:
            SoundviewsError: A list names another word or cannot be read, or there are no recordings.
        """
        words = sorted((*COMMANDS, *DIGITS, *OTHERS, *ONLY_V2))
        clips, skipped = _words(root, words)
        return _corpus(root, clips, [[word] for word in clips.words], words, skipped)


def _is_speech_commands(root: Path) -> bool:
    return all((root / name).is_file() for name in LISTS.values())


def _corpus(
    root: Path, clips: _Clips, labels: list[list[str]], vocabulary: Sequence[str], skipped: list[Skipped]
) -> Corpus:
    if not clips.paths:
        raise SoundviewsError(f"no recordings in the folders of words in {root}")
    return Corpus.from_columns(
        root,
        clips.paths,
        starts=clips.starts,
        ends=clips.ends,
        labels=labels,
        splits=clips.splits,
        vocabulary=vocabulary,
        skipped=skipped,
    )


def _words(root: Path, words: Sequence[str]) -> tuple[_Clips, list[Skipped]]:
    """Every recording of a word with its split, and what is listed and is not there or has no place here."""
    listed = {name: split for split in LISTS for name in _listed(root, LISTS[split], words)}
    clips = _Clips([], [], [], [], [])
    for word in words:
        for file in _recordings(root / word):
            _add(clips, f"{word}/{file}", word, listed.pop(f"{word}/{Path(file).stem}", "train"))
    skipped = [Skipped(str(root / name), "listed, and no such recording") for name in listed]
    expected = {*words, NOISE, SILENCE, UNKNOWN}
    folders = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    skipped += [Skipped(str(root / name), "not one of the words") for name in folders if name not in expected]
    return clips, skipped


def _listed(root: Path, name: str, words: Sequence[str]) -> list[str]:
    """WORD/NAME, without suffix, of each line of a list."""
    try:
        lines = (root / name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SoundviewsError(f"cannot read {root / name}: {error}") from error
    entries = []
    for number, line in enumerate(lines, start=1):
        word, _, file = line.strip().partition("/")
        if word in words and file:
            entries.append(f"{word}/{Path(file).stem}")
        elif line.strip():
            raise SoundviewsError(f"{root / name}, line {number}: expected WORD/NAME.wav, not {line.strip()!r}")
    return entries


def _recordings(folder: Path) -> list[str]:
    """Names of the recordings in a folder, sorted; none if there is no such folder."""
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return sorted(name for name in names if Path(name).suffix.lower() in EXTENSIONS and not name.startswith("."))


def _add(clips: _Clips, path: str, word: str, split: str, start: float = 0.0, end: float | None = None) -> None:
    clips.paths.append(path)
    clips.words.append(word)
    clips.splits.append(split)
    clips.starts.append(start)
    clips.ends.append(end)


def _add_silence(root: Path, clips: _Clips) -> list[Skipped]:
    """Pieces of the recordings of noise, and which of these cannot be read."""
    files = _recordings(root / NOISE)
    seconds, bad = probe_all([str(root / NOISE / file) for file in files], progress=False)
    for file, length in zip(files, np.nan_to_num(seconds), strict=True):
        # The last start leaves more than a piece behind it, as in TensorFlow Datasets.
        for start in np.arange(0, length - PIECE, HOP).tolist():
            _add(clips, f"{NOISE}/{file}", SILENCE, NOISE_SPLITS.get(Path(file).stem, "train"), start, start + PIECE)
    return [Skipped(str(root / NOISE / files[place]), reason) for place, reason in bad.items()]
