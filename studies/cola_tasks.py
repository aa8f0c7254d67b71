"""Make the poster's table of transfer: one encoder on the nine tasks that cola is judged by.

    python -m studies.cola_tasks RUN DATASETS WORK [--only musan,nsynth] [--seeds 1] [--write-only]

RUN is `soundviews pretrain AUDIOSET --recipe cola`; DATASETS holds a folder for each task, by the names that
`soundviews data` gives them. Tasks that are not there are named, the others judged; the page is WORK/cola-tasks.md.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from soundviews.datasets import datasets
from soundviews.datasets.fetch import located
from studies._page import Command, record, run_once, table, written_by

PROTOCOLS = {"random": "random", "scratch": "from scratch", "linear": "frozen", "finetune": "fine-tuned"}


class Task(NamedTuple):
    """One of the nine tasks. paper: accuracy in percent, by the protocols in the order of PROTOCOLS."""

    words: str
    paper: tuple[float, float, float, float]


TASKS = {
    "librispeech": Task("LibriSpeech speakers (251)", (0.4, 100.0, 100.0, 100.0)),
    "speech_commands_v1": Task("Speech Commands V1 (12)", (62.9, 97.2, 71.7, 98.1)),
    "speech_commands_v2": Task("Speech Commands V2 (35)", (4.0, 94.3, 62.4, 95.5)),
    "tut_urban2018": Task("TUT Urban 2018 (10)", (8.6, 98.2, 94.1, 99.2)),
    "voxceleb1": Task("VoxCeleb1 speakers (1251)", (0.0, 31.7, 29.9, 37.7)),
    "dcase2018_birdsong": Task("DCASE 2018 birdsong (2)", (49.6, 79.4, 77.0, 80.2)),
    "musan": Task("MUSAN (3)", (56.8, 99.3, 99.1, 99.4)),
    "voxforge": Task("VoxForge languages (6)", (59.1, 85.0, 71.3, 82.9)),
    "nsynth": Task("NSynth instruments (11)", (20.8, 70.7, 63.4, 73.0)),
}


def command(task: str, run: str, data: Path, work: Path, seeds: int) -> Command:
    """Judge the encoder on a task. data: What `corpus_of` gives."""
    protocols = [word for protocol in PROTOCOLS for word in ("-p", f"{protocol}:style=cola")]
    arguments = ["evaluate", run, "--data", str(data), *protocols, "--seeds", str(seeds)]
    return Command(task, [*arguments, "--out", str(work / task)])


def corpus_of(task: str, folder: Path) -> Path | None:
    """The folder of a task, below what `soundviews data` made: some archives bring another one. None without it."""
    return located(datasets.get(task), folder / task)


def line(task: str, work: Path) -> list[str]:
    """Ours, in percent of clips, with the paper's in brackets."""
    rows = json.loads((work / task / "evaluation.json").read_text())["rows"]
    ours = {row["protocol"]: 100 * row["metrics"]["clip_accuracy"] for row in rows}
    cells = [f"{ours[name]:.1f} ({paper:.1f})" for name, paper in zip(PROTOCOLS, TASKS[task].paper, strict=True)]
    return [TASKS[task].words, *cells]


def write(tasks: list[str], work: Path) -> None:
    done = [task for task in tasks if record(task, work)]
    lines = [
        "# The nine tasks of cola",
        "",
        "Accuracy, share of clips in percent; in brackets the poster's.",
        "",
        written_by("cola_tasks", [record(task, work)["commit"] for task in done]),  # type: ignore[index]
        "",
        *table(["task (classes)", *PROTOCOLS.values()], [line(task, work) for task in done]),
        *(f"Not there: {TASKS[task].words}." for task in tasks if task not in done),
    ]
    page = work / "cola-tasks.md"
    page.write_text("\n".join(lines).rstrip() + "\n")
    print(page)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", help="a run of `soundviews pretrain`, or a bundle")
    parser.add_argument("datasets", metavar="DATASETS", type=Path)
    parser.add_argument("work", metavar="WORK", type=Path)
    parser.add_argument("--only", default=",".join(TASKS), help="tasks, as in musan,nsynth")
    parser.add_argument("--seeds", type=int, default=1, help="repetitions of each protocol")
    parser.add_argument("--write-only", action="store_true", help="run nothing, write the page from what is there")
    given = parser.parse_args(arguments)
    tasks = given.only.split(",")
    if unknown := set(tasks) - set(TASKS):
        raise SystemExit(f"no tasks {', '.join(sorted(unknown))}; there are {', '.join(TASKS)}")
    for task in tasks:
        if not given.write_only and (data := corpus_of(task, given.datasets)):
            run_once(command(task, given.run, data, given.work, given.seeds), given.work)
    write(tasks, given.work)


if __name__ == "__main__":
    main()
