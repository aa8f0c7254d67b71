"""DESED, recorded part: clips of 10 s from homes, ten kinds of events, strongly labelled (Turpault et al. 2019).

Layout: metadata/validation/validation.tsv and metadata/eval/public.tsv (filename, onset, offset, event_label), and
their recordings anywhere in audio/validation/ and audio/eval/; all of it in the folder itself or in its dataset/. Older
releases name the tables .csv, with tabs in them all the same.
"""

from pathlib import Path
from typing import ClassVar

from soundviews.audio.corpus import Corpus, Skipped
from soundviews.audio.scan import recordings
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.origin import Origin
from soundviews.datasets.registry import datasets
from soundviews.datasets.table import numbered_rows

CLASSES = (
    "Alarm_bell_ringing",
    "Blender",
    "Cat",
    "Dishes",
    "Dog",
    "Electric_shaver_toothbrush",
    "Frying",
    "Running_water",
    "Speech",
    "Vacuum_cleaner",
)
# Split to its table, without suffix, and the folder of its recordings. The paper of acl trains on the validation part.
PARTS = {"train": ("validation/validation", "validation"), "test": ("eval/public", "eval")}
COLUMNS = ("filename", "event_label")


@datasets.register("desed")
class Desed:
    """Labels are the kinds of events of a clip, none to four; split is train (validation part) or test (public eval).

    The 15 clips of the validation part that have no event keep no label: every class is absent from them.
    """

    origin = Origin(
        about="DESED, recorded part: 1,168 + 692 clips of 10 s, 10 classes of domestic events (Turpault et al.)",
        licence="each recording's own, listed in the licence file of each archive (YouTube, Creative Commons)",
        instructions=(
            "1. Public evaluation: download DESED_public_eval.tar.gz from https://zenodo.org/records/4560759 and "
            "unpack it; it brings audio/eval/public/ and metadata/eval/public.tsv.\n"
            "2. Validation: the recordings are clips of AudioSet. `pip install desed`, then in Python\n"
            "   import desed; desed.download_real('DESED', weak=False, unlabel_in_domain=False)\n"
            "   brings both parts; videos that are gone are listed in missing_files/, which the authors "
            "(https://github.com/turpaultn/DESED) answer with the recordings.\n"
            "The folder then holds metadata/{validation/validation.tsv,eval/public.tsv} and audio/{validation,eval}/."
        ),
    )
    published: ClassVar[dict[str, int]] = {"train": 1168, "test": 692, "classes": 10}

    @staticmethod
    def matches(root: Path) -> bool:
        return bool(_tables(root))

    @staticmethod
    def read(root: Path) -> Corpus:
        """The parts whose table is there; recordings may be kept in another format than wav.

        Raises:
            SoundviewsError: A table cannot be understood or has another class, or none of the recordings is there.
        """
        paths: list[str] = []
        splits: list[str] = []
        labels: list[list[str]] = []
        skipped: list[Skipped] = []
        tables = _tables(root)
        for split, table in tables.items():
            audio = table.parents[2] / "audio" / PARTS[split][1]
            there = {Path(path).stem: path for path, _ in recordings(audio, skipped)} if audio.is_dir() else {}
            for name, events in _events(table).items():
                if (path := there.get(Path(name).stem)) is None:
                    skipped.append(Skipped(str(audio / name), "no such file"))
                    continue
                paths.append(str(Path(path).relative_to(root)))
                splits.append(split)
                labels.append(sorted(events))
        if not paths:
            first = f"; the first looked for is {skipped[0].path}" if skipped else ""
            lists = " and ".join(map(str, tables.values()))
            raise SoundviewsError(f"none of the {len(skipped):,} recordings that {lists} list is there{first}")
        return Corpus.from_columns(root, paths, labels=labels, splits=splits, vocabulary=CLASSES, skipped=skipped)


def _tables(root: Path) -> dict[str, Path]:
    """Split to its table, of those that are there."""
    return {
        split: table
        for split, (name, _) in PARTS.items()
        for home in (root / "dataset", root)
        for suffix in (".csv", ".tsv")
        if (table := home / "metadata" / f"{name}{suffix}").is_file()
    }


def _events(table: Path) -> dict[str, set[str]]:
    """Recording to its kinds of events, in the order of the table; a row of one without events has only its name."""
    found: dict[str, set[str]] = {}
    for line, row in numbered_rows(table, COLUMNS):
        events = found.setdefault(row["filename"].strip(), set())
        label = row["event_label"].strip()
        if label in CLASSES:
            events.add(label)
        elif label.lower() not in ("", "nan"):
            raise SoundviewsError(f"{table}, line {line}: event_label {label!r} is not one of {', '.join(CLASSES)}")
    return found
