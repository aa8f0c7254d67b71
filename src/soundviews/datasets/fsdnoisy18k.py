"""FSDnoisy18k: 18,532 recordings of 20 classes, a tenth of them with verified labels (Fonseca et al. 2019).

Layout: FSDnoisy18k.meta/{train,test}.csv, FSDnoisy18k.audio_train/, FSDnoisy18k.audio_test/.
"""

import csv
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import nearest
from soundviews.datasets.listing import listed
from soundviews.datasets.origin import Archive, Origin
from soundviews.datasets.registry import datasets
from soundviews.datasets.table import read_table

META, TRAIN, TEST = "FSDnoisy18k.meta", "FSDnoisy18k.audio_train", "FSDnoisy18k.audio_test"
TRAIN_COLUMNS = ("fname", "label", "aso_id", "manually_verified", "noisy_small")
TEST_COLUMNS = ("fname", "label", "aso_id")
# Published: recordings, and fewest and most of one class
PUBLISHED = {"train_noisy": (15813, 250, 1000), "train_clean": (1772, 51, 170), "test": (947, 30, 72)}
CLASSES = 20
URL = "https://zenodo.org/records/2529934/files"
MD5 = {
    META: "96e27a4a63b7a2870522ddcedb5d8296",
    TEST: "1ac73d70b4ef3f81900d98c261a832de",
    TRAIN: "34dc1d34ca44622af5bf439ceb6f0d55",
}

Indices = npt.NDArray[np.int64]


class Splits(NamedTuple):
    """Rows of a corpus to train on, to choose on and to report, (clips,) each."""

    train: Indices
    validation: Indices
    test: Indices


@datasets.register("fsdnoisy18k")
class FsdNoisy18k:
    """One label each; split is train_noisy, train_clean (manually verified) or test."""

    origin = Origin(
        about="FSDnoisy18k: 18,532 recordings, 42.5 h, 20 classes, most labels not verified",
        licence="CC BY, each recording its own",
        archives=tuple(Archive(f"{URL}/{folder}.zip", f"md5:{md5}") for folder, md5 in MD5.items()),
    )
    published: ClassVar[dict[str, int]] = {name: total for name, (total, _, _) in PUBLISHED.items()} | {
        "classes": CLASSES
    }

    @staticmethod
    def matches(root: Path) -> bool:
        return (root / META / "train.csv").is_file() and (root / META / "test.csv").is_file()

    @staticmethod
    def read(root: Path) -> Corpus:
        """
        Raises:
            SoundviewsError: A table cannot be understood, or none of the recordings are there.
        """
        train = read_table(root / META / "train.csv", TRAIN_COLUMNS)
        test = read_table(root / META / "test.csv", TEST_COLUMNS)
        splits = [_train_split(root, row) for row in train] + ["test"] * len(test)
        paths = [f"{TRAIN}/{row['fname']}" for row in train] + [f"{TEST}/{row['fname']}" for row in test]
        labels = [row["label"] for row in [*train, *test]]
        return listed(root, root / META, paths, labels=[[label] for label in labels], splits=splits)


def _train_split(root: Path, row: dict[str, str]) -> str:
    names = {"0": "train_noisy", "1": "train_clean"}
    if row["manually_verified"] not in names:
        said = row["manually_verified"]
        raise SoundviewsError(
            f"{root / META / 'train.csv'}: manually_verified of {row['fname']} is {said!r}, not 0 or 1"
        )
    return names[row["manually_verified"]]


def small_clean_split(corpus: Corpus, seed: int = 271828) -> tuple[Indices, Indices]:
    """85 % of train_clean to train on and the other 15 % to choose on, as rows of `corpus`, ascending.

    The authors' program validated on training clips (its validation list got every clip); here the two are disjoint.
    """
    rows = np.flatnonzero(corpus.column("split") == "train_clean")
    order = np.random.default_rng(seed).permutation(len(rows))
    train = int(0.85 * len(rows))
    return np.sort(rows[order[:train]]), np.sort(rows[order[train:]])


def evaluation_splits(corpus: Corpus, setting: str) -> Splits:
    """The paper's settings: `linear` and `larger_noisy` train on the noisy labels and choose on the clean ones,
    `small_clean` trains on 85 % of the clean ones.

    Raises:
        SoundviewsError: An unknown setting.
    """
    split = corpus.column("split")
    noisy, clean, test = (np.flatnonzero(split == name) for name in ("train_noisy", "train_clean", "test"))
    settings = {"linear": (noisy, clean), "larger_noisy": (noisy, clean), "small_clean": small_clean_split(corpus)}
    if setting not in settings:
        raise SoundviewsError(f"FSDnoisy18k has no setting {setting!r}: {nearest(setting, settings)}")
    return Splits(*settings[setting], test)


def write_small_clean(corpus: Corpus, path: Path) -> None:
    """The setting `small_clean` as a manifest (path, label, split) that every command takes for a corpus.

    `path` has to be in the corpus's root, because a manifest's paths start from its own folder.
    """
    names = dict(zip(Splits._fields, evaluation_splits(corpus, "small_clean"), strict=True))
    recordings, targets = corpus.column("path"), corpus.targets()
    rows = [(recordings[i], corpus.vocabulary[targets[i]], name) for name, chosen in names.items() for i in chosen]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "split"), *rows])


def published_differences(corpus: Corpus) -> list[str]:
    """How a corpus differs from what was published, in words; empty for the complete dataset."""
    split, targets = corpus.column("split"), corpus.targets()
    found = [] if len(corpus.vocabulary) == CLASSES else [f"{len(corpus.vocabulary)} classes instead of {CLASSES}"]
    for name, (total, fewest, most) in PUBLISHED.items():
        counts = np.bincount(targets[split == name], minlength=len(corpus.vocabulary))
        if counts.sum() != total:
            found.append(f"{name} has {counts.sum()} recordings instead of {total}")
        elif (counts.min(), counts.max()) != (fewest, most):
            found.append(f"{name} has {counts.min()} to {counts.max()} of a class instead of {fewest} to {most}")
    return found


def make_lookalike(root: str | Path, noisy: int = 40, clean: int = 20, test: int = 10, seed: int = 0) -> Path:
    """Write a small dataset of built-in scenes in the official layout, with 20 classes; returns `root`.

    Each class is one synthesised kind of event at one sample rate (44.1 kHz, as the original), 0.3 to 2 s long.
    """
    from soundviews.scenes.events import events

    root, rng = Path(root), np.random.default_rng(seed)
    for folder in (META, TRAIN, TEST):
        (root / folder).mkdir(parents=True, exist_ok=True)
    kinds = (events.names() * 2)[:CLASSES]
    plan = [("train", 0)] * noisy + [("train", 1)] * clean + [("test", 1)] * test
    rows: dict[str, list[list[object]]] = {"train": [], "test": []}
    for number, (part, verified) in enumerate(plan):
        target, fname = number % CLASSES, f"{1000 + number}.wav"
        sound = events.get(kinds[target])(rng, int(rng.uniform(0.3, 2.0) * 44100), 44100)
        folder = TRAIN if part == "train" else TEST
        soundfile.write(root / folder / fname, 0.5 * sound / np.abs(sound).max(), 44100, subtype="PCM_16")
        row: list[object] = [fname, f"Class_{target:02d}", f"/m/{target:05d}"]
        rows[part].append([*row, verified, int(rng.integers(2)) * (1 - verified)] if part == "train" else row)
    for part, columns in (("train", TRAIN_COLUMNS), ("test", TEST_COLUMNS)):
        lines = [",".join(columns), *(",".join(map(str, row)) for row in rows[part])]
        (root / META / f"{part}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root
