"""What the programs about ssep share: the rows of its tables, how they are trained and judged, their switches."""

import argparse
import fcntl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from soundviews.audio.corpus import Corpus
from studies._page import Command, run_once, shown

PROTOCOLS = ("qbe", "retrieval", "shallow", "linear:style=logistic")

QUICK_SEPARATOR = ["training.steps=2", "processors.F=1", "processors.S1=1"]
QUICK_PRETRAINING = ["training.steps=2", "training.batch_size=4"]


def for_a_cpu(steps: int) -> list[str]:
    """Overrides that every row of a page has in common."""
    return [
        "encoder={vgg_like: {}}",
        f"training.steps={steps}",
        "training.batch_size=32",
        "training.clips_per_step=null",
        "training.precision=bf16-mixed",
        "training.optimizer={adam: {lr: 1.0e-3}}",
        "training.schedule={cosine: {}}",
        "training.warmup_steps=30",
        "evaluation=null",
    ]


class Row(NamedTuple):
    """A row of ssep's tables. paper: its mAP for query by example and for shallow classification, on AudioSet."""

    recipe: str
    words: str
    paper: tuple[float, float]


ROWS = {
    "mix-mix": Row("ssep/table2/mix-mix-sa", "SimCLR, mixture vs mixture", (0.613, 0.265)),
    "mix-chan": Row("ssep/table2/mix-chan-sa", "SimCLR, mixture vs channel of S2", (0.640, 0.282)),
    "chan-chan": Row("ssep/table2/chan-chan-sa", "SimCLR, channel vs channel of S2", (0.611, 0.254)),
    "cp": Row("ssep/table3/mix-chan", "CP, mixture vs channel of S2", (0.619, 0.293)),
    "joint": Row("ssep/table4/s2-joint", "SimCLR & CP, mixture vs channel of S2", (0.649, 0.289)),
    "n": Row("ssep/table4/n", "SimCLR, mixture vs channel of N", (0.659, 0.286)),
}


def options(description: str | None, seeds: str) -> argparse.ArgumentParser:
    """The switches of both programs; `seeds` are those it takes by default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--separator", type=Path, help="an existing run of `separate train`")
    parser.add_argument("--seeds", default=seeds, help=f"of pretraining; default {seeds}")
    parser.add_argument("--steps", type=int, help="of pretraining, instead of the page's")
    parser.add_argument("--only", help="rows, as in mix-mix,joint")
    parser.add_argument("--part", default="1/1", help="as in 2/3: every third run from the second on")
    parser.add_argument("--write-only", action="store_true", help="run nothing, write the page from what is there")
    parser.add_argument(
        "--quick", action="store_true", help="a minute or two, to see that it works; the page stays in WORK"
    )
    return parser


def chosen_rows(only: str | None, rows: Sequence[str]) -> list[str]:
    names = only.split(",") if only else list(rows)
    if unknown := set(names) - set(rows):
        raise SystemExit(f"no rows {', '.join(sorted(unknown))}; there are {', '.join(rows)}")
    return names


@dataclass
class Study:
    """Encoders of some rows and seeds, learned and judged alike.

    data: The corpus. learn: options of `pretrain` that say which part; judge: those of `evaluate`.
    small: Overrides of every row's recipe.
    """

    data: str
    work: Path
    separator: Path
    seeds: list[int]
    learn: list[str]
    judge: list[str]
    small: list[str]

    def prepare(self) -> Command:
        """The channels of the whole corpus: pretraining finds those of its own part."""
        chosen = ["--separator", str(self.separator), "--processors", "S2,N", "--channels", str(self.work / "channels")]
        return Command("channels", ["prepare", self.data, *chosen])

    def pretrain(self, row: str, seed: int) -> Command:
        channels = ["--separator", str(self.separator), "--channels", str(self.work / "channels")]
        changed = overrides([*self.small, f"training.seed={seed}"])
        options = ["--recipe", ROWS[row].recipe, *([] if row == "mix-mix" else channels), *changed]
        name = run_name(row, seed)
        return Command(name, ["pretrain", self.data, *self.learn, *options, "-o", str(self.work / name)])

    def evaluate(self, row: str, seed: int) -> Command:
        name = run_name(row, seed)
        options = [*self._judging(row, seed), "--out", str(self.work / f"{name}-judged")]
        return Command(f"{name}-judged", options)

    def baselines(self) -> Command:
        """Log-mel statistics and random encoders, as many as there are runs of a row."""
        counted = ["--baselines", "--seeds", str(len(self.seeds)), "--out", str(self.work / "baselines")]
        return Command("baselines", [*self._judging("mix-mix", self.seeds[0]), *counted])

    def _judging(self, row: str, seed: int) -> list[str]:
        protocols = [word for protocol in PROTOCOLS for word in ("-p", protocol)]
        return ["evaluate", str(self.work / run_name(row, seed)), "--data", self.data, *self.judge, *protocols]

    def run(self, shared: Iterable[Command], rows: list[str], part: str) -> None:
        """Run the `shared` commands once, while other parts wait, then this part's runs one after the other."""
        self.work.mkdir(parents=True, exist_ok=True)
        with open(self.work / "shared.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for command in (*shared, self.prepare()):
                run_once(command, self.work)
        jobs = [[self.pretrain(row, seed), self.evaluate(row, seed)] for seed in self.seeds for row in rows]
        if "mix-mix" in rows:
            jobs[rows.index("mix-mix")].append(self.baselines())
        first, count = map(int, part.split("/"))
        for job in jobs[first - 1 :: count]:
            for command in job:
                run_once(command, self.work)

    def shown(self, command: Command, names: dict[str, str]) -> list[str]:
        """A command as a code block, without this machine's paths; `names` gives further paths their names."""
        return shown(command.arguments, {**names, str(self.separator): "runs/separator", f"{self.work}/": "runs/"})


def study_of(
    given: argparse.Namespace, data: str, separator: str, steps: int, learn: list[str], judge: list[str]
) -> Study:
    """What the switches ask for; `separator` is the folder in WORK where there is no other."""
    small = [*for_a_cpu(steps), *(QUICK_PRETRAINING if given.quick else [])]
    return Study(
        data=data,
        work=given.work,
        separator=given.separator or given.work / separator,
        seeds=[int(seed) for seed in given.seeds.split(",")],
        learn=learn,
        judge=judge,
        small=[*small, *([f"training.steps={given.steps}"] if given.steps else [])],
    )


@dataclass(frozen=True)
class Separator:
    """The commands about the separator, in `study.separator`.

    data: What it learns from, and which part. changed: overrides of its recipe. judge: options of `separate evaluate`.
    held_out: Clips that it never learned from.
    """

    study: Study
    data: list[str]
    changed: list[str]
    judge: list[str]
    held_out: Corpus

    @property
    def figures(self) -> Path:
        return self.study.work / "separator.json"

    @property
    def image(self) -> Path:
        return self.study.work / "separation.png"

    def train(self) -> Command:
        recipe = ["--recipe", "separator/small", *overrides(self.changed), "-o", str(self.study.separator)]
        return Command("separator", ["separate", "train", *self.data, *recipe])

    def evaluate(self) -> Command:
        options = [*self.judge, "--out", str(self.figures)]
        return Command("separator-judged", ["separate", "evaluate", str(self.study.separator), *options])

    def show(self) -> Command:
        """The first held-out clip: none is picked for its looks."""
        out = ["--processors", "S2,S1,F,N", "--out", str(self.image)]
        clip = self.held_out.clip(0).path
        return Command("separation", ["separate", "show", str(self.study.separator), clip, *out])


def run(given: argparse.Namespace, rows: list[str], separator: Separator, further: Sequence[Command] = ()) -> None:
    """All commands of a page, unless it is only to be written; `further` ones judge the separator."""
    if not given.write_only:
        training = [] if given.separator else [separator.train()]
        shared = [*training, separator.evaluate(), *further, separator.show()]
        separator.study.run(shared, rows, given.part)


def overrides(texts: Iterable[str]) -> list[str]:
    return [word for text in texts for word in ("--set", text)]


def run_name(row: str, seed: int) -> str:
    return f"{row}-{seed}"
