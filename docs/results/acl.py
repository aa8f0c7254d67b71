"""Make docs/results/acl.md: do acl's blocks make encoders invariant, and does that help on real recordings?

    python docs/results/acl.py ESC50 WORK [--seeds 0,1,2] [--only noise,stretch] [--part 1/2] [--write-only]

Encoders of every row of the paper's tables learn from folds 1-2 of ESC-50 without labels; frozen and fine-tuned they
are judged on fold 3, beside training from scratch. What is in WORK already is not run again.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

from _page import Command, run_once


class Row(NamedTuple):
    """A row of the paper's tables: F1 on DESED, frozen and fine-tuned, and weighted precision on AudioSet, alike."""

    recipe: str
    words: str
    paper: tuple[float, float, float, float]


ROWS = {
    "noise": Row("acl/small/noise", "noise only", (0.434, 0.629, 0.361, 0.375)),
    "stretch": Row("acl/small/stretch", "time stretching", (0.454, 0.640, 0.391, 0.393)),
    "room": Row("acl/small/room", "room impulse responses", (0.453, 0.616, 0.384, 0.385)),
    "masking": Row("acl/small/masking", "masking", (0.492, 0.624, 0.378, 0.395)),
    "stretch-masking": Row("acl/small", "stretching and masking", (0.511, 0.644, 0.393, 0.399)),
}


class Study(NamedTuple):
    """Where the recordings are, where everything is kept, and overrides of every recipe."""

    data: str
    work: Path
    changed: list[str]

    def run(self, row: str, seed: int) -> Path:
        return self.work / "runs" / f"{row}-seed{seed}"

    def pretrain(self, row: str, seed: int) -> Command:
        changes = [word for change in (*self.changed, f"training.seed={seed}") for word in ("--set", change)]
        arguments = ["pretrain", self.data, "--folds", "1,2", "--recipe", ROWS[row].recipe, *changes]
        return Command(f"{row}-seed{seed}", [*arguments, "-o", str(self.run(row, seed))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", metavar="ESC50", help="the folder with meta/ and audio/")
    parser.add_argument("work", metavar="WORK", type=Path)
    parser.add_argument("--seeds", default="0,1,2", help="of pretraining; default 0,1,2")
    parser.add_argument("--only", default=",".join(ROWS), help="rows, as in noise,masking")
    parser.add_argument("--part", default="1/1", help="as in 2/3: every third run from the second on")
    given = parser.parse_args()
    study = Study(given.data, given.work, [])
    part, parts = (int(number) for number in given.part.split("/"))
    seeds, rows = [int(seed) for seed in given.seeds.split(",")], given.only.split(",")
    runs = [(row, seed) for seed in seeds for row in rows]
    for row, seed in runs[part - 1 :: parts]:
        run_once(study.pretrain(row, seed), study.work)


if __name__ == "__main__":
    main()
