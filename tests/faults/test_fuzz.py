"""Damaged files of every kind: results that are finite, recordings that are left out by name, errors of one line."""

import shutil
from pathlib import Path

import pytest

from tools.fuzz import cases, described
from tools.fuzzing.subjects import AUDIO, CONTAINERS, SUBJECTS
from tools.fuzzing.trial import Case, Workshop

GROUPS = {
    "audio": ((*AUDIO, *CONTAINERS), 200),
    "bundles": (("bundle", "processors"), 80),
    "archives": (("archive, searched", "archive, embedded onto", "parts of an archive"), 80),
    "pages": (("recipe", "separator's recipe", "manifest, csv", "manifest, tsv", "manifest, parquet"), 100),
    "results": (("channels, as files", "channels, prepared", "channels, read", "cache"), 30),
    "runs": (("run",), 10),
}
"""The subjects of one process, and how many cases: 500 in all, of other damage with another seed."""


@pytest.mark.parametrize("group", GROUPS)
def test_damaged_files_are_used_left_out_or_refused(group: str, tmp_path: Path) -> None:
    subjects, count = GROUPS[group]
    workshop, failures = Workshop(tmp_path, subjects), []
    try:
        for case in cases(count, 0, subjects):
            outcome = workshop.try_case(case)
            if outcome.kind == "FAILED":
                failures.append(f"{described(case)}\n{outcome.text}")
    finally:
        workshop.close()
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_whole_files_are_used(subject: str, tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, [subject])
    shutil.copytree(workshop.whole(subject), tmp_path / "copy")
    outcome = workshop.use(subject, tmp_path / "copy")
    assert outcome.kind == ("left out" if subject == "channels, as files" else "used"), outcome.text


def test_a_case_is_its_damage(tmp_path: Path) -> None:
    workshop, damage = Workshop(tmp_path, ["bundle"]), set()
    for case in (Case("bundle", 0, 1), Case("bundle", 0, 1), Case("bundle", 1, 1), Case("bundle", 0, 2)):
        _, file = workshop.damage(case)
        damage.add((file.name, file.read_bytes()))
    assert len(damage) == 3


def test_every_subject_is_tried() -> None:
    assert sum(count for _, count in GROUPS.values()) == 500
    assert sorted(name for names, _ in GROUPS.values() for name in names) == sorted(SUBJECTS)
