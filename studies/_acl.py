"""The rows of acl's tables, and the commands that learn and judge their encoders."""

from pathlib import Path
from typing import NamedTuple

from studies._page import Command, run_once

FROZEN = ("linear:style=acl", "linear:style=logistic", "qbe", "retrieval", "invariance:clips=100")


class Row(NamedTuple):
    """A row of acl's tables. paper: its F1 on DESED, frozen and fine-tuned, then its weighted precision on AudioSet's
    subset, frozen and fine-tuned."""

    words: str
    paper: tuple[float, float, float, float]


ROWS = {
    "noise": Row("noise only", (0.434, 0.629, 0.361, 0.375)),
    "stretch": Row("time stretching", (0.454, 0.640, 0.391, 0.393)),
    "room": Row("room impulse responses", (0.453, 0.616, 0.384, 0.385)),
    "masking": Row("masking", (0.492, 0.624, 0.378, 0.395)),
    "stretch-masking": Row("stretching and masking", (0.511, 0.644, 0.393, 0.399)),
}
SCRATCH = (0.62, 0.371)  # the paper's, on DESED and on its subset of AudioSet


class Study(NamedTuple):
    """Encoders of some rows and seeds, learned and judged alike.

    data: The labelled corpus. recipes: By row. learn: The corpus to learn from and which part of it, as `pretrain`
    takes them. judge: Which clips train and test, as `evaluate` takes them. whole: Options of training the whole
    network. changed: Overrides of every recipe.
    """

    data: str
    work: Path
    recipes: dict[str, str]
    learn: list[str]
    judge: list[str]
    whole: str
    changed: list[str]

    @property
    def name(self) -> str:
        return Path(self.data).stem

    def run_of(self, row: str, seed: int) -> Path:
        return self.work / "runs" / f"{row}-seed{seed}"

    def pretrain(self, row: str, seed: int) -> Command:
        changes = [word for change in (*self.changed, f"training.seed={seed}") for word in ("--set", change)]
        arguments = ["pretrain", *self.learn, "--recipe", self.recipes[row], *changes]
        return Command(f"{row}-seed{seed}", [*arguments, "-o", str(self.run_of(row, seed))])

    def compare(self, rows: list[str], seeds: list[int]) -> Command:
        """All rows, frozen, by every protocol; beside them the log-mel statistics."""
        systems = [f"{row}={','.join(str(self.run_of(row, seed)) for seed in seeds)}" for row in rows]
        protocols = [word for protocol in FROZEN for word in ("-p", protocol)]
        arguments = ["compare", *systems, "logmel", "--data", self.data, *self.judge, *protocols]
        return Command(f"{self.name}-frozen", [*arguments, "--out", str(self.out("frozen"))])

    def finetune(self, row: str, seed: int) -> Command:
        return self._whole(f"{row}-seed{seed}-finetuned", self.run_of(row, seed), "finetune", [])

    def scratch(self, seeds: list[int]) -> Command:
        return self._whole("scratch", self.run_of("noise", seeds[0]), "scratch", ["--seeds", str(len(seeds))])

    def random(self, seeds: list[int]) -> Command:
        arguments = ["evaluate", str(self.run_of("noise", seeds[0])), "--data", self.data, *self.judge]
        arguments += ["-p", "random:style=acl", "--seeds", str(len(seeds)), "--out", str(self.out("random"))]
        return Command(f"{self.name}-random", arguments)

    def _whole(self, name: str, run: Path, protocol: str, more: list[str]) -> Command:
        arguments = ["evaluate", str(run), "--data", self.data, *self.judge, "-p", f"{protocol}:style=acl,{self.whole}"]
        return Command(f"{self.name}-{name}", [*arguments, *more, "--out", str(self.out(name))])

    def out(self, name: str) -> Path:
        return self.work / "judged" / f"{self.name}-{name}"

    def run(self, rows: list[str], seeds: list[int], stage: str, part: tuple[int, int]) -> None:
        """This part's pretrainings and fine-tunings; what compares all of them only where nothing is left out."""
        runs = [(row, seed) for seed in seeds for row in rows]
        for row, seed in runs[part[0] - 1 :: part[1]]:
            if stage in ("pretrain", "all"):
                run_once(self.pretrain(row, seed), self.work)
            if stage in ("finetune", "all"):
                run_once(self.finetune(row, seed), self.work)
        if stage == "all":
            for command in (self.compare(rows, seeds), self.random(seeds), self.scratch(seeds)):
                run_once(command, self.work)
