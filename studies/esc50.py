"""Make docs/results/esc50.md: pretrain on folds 1-2 of ESC-50, judge on fold 3, every figure beside its command.

    python -m studies.esc50 ESC50 WORK [--released uclser_vgg.pth]

Each command runs only if its result is not in WORK yet, so the page can be finished in pieces.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from soundviews.pretraining.log import read_metrics
from soundviews.report.words import measure_name
from studies._page import RESULTS, Command, notes, record, run_once, shown, table, written_by

SPLIT = ["--train-folds", "1,2", "--test-folds", "3"]
RECIPES = {"uclser": "uclser/small", "cola": "cola/small", "cola-augmented": "cola/small-augmented"}
WHOLE = {
    "uclser": "style=uclser,epochs=40,batch_size=64,precision=bf16",
    "cola": "style=cola,epochs=40,precision=bf16",
}
ABOUT = (
    "1,200 real recordings of 5 s, 50 classes. Encoders learn from the audio of folds 1 and 2 without labels; "
    "classifiers train on folds 1 and 2; fold 3 judges."
)


class Step(NamedTuple):
    """A command and what the page says of it. out: The run, bundle or report that the command writes."""

    title: str
    command: Command
    out: Path


def steps(data: str, work: Path, released: str | None) -> list[Step]:
    """Every command of the page, in order. released: The authors' file of weights."""
    result: list[Step] = []
    for name, recipe in RECIPES.items():
        run = work / name
        arguments = ["pretrain", data, "--folds", "1,2", "--recipe", recipe, "-o", str(run)]
        judged = ["--evaluation-data", data, "--evaluation-folds", "1,2"]
        result.append(Step(f"Pretrain `{recipe}`", Command(name, [*arguments, *judged]), run))
        style = name.partition("-")[0]
        frozen = ["qbe", "retrieval", "knn:k=20", "linear:style=logistic", f"linear:style={style}"]
        result.append(evaluation(f"`{recipe}`, frozen", run, data, work / f"{name}-frozen", frozen))
        if name in WHOLE:
            whole = [f"finetune:{WHOLE[name]}"]
            result.append(evaluation(f"`{recipe}`, whole network", run, data, work / f"{name}-whole", whole))
    return [*result, *(of_released(data, work, released) if released else [])]


def of_released(data: str, work: Path, weights: str) -> list[Step]:
    bundle = work / "released_vgg"
    convert = Command("released", ["convert", "uclser20", weights, str(bundle)])
    frozen = ["qbe", "retrieval", "knn:k=20", "linear:style=logistic", "linear:style=uclser"]
    other_hop = ["qbe", "linear:style=logistic"]
    title = "Released VGG-like, windows 66 frames apart"
    return [
        Step("Convert the authors' released VGG-like encoder", convert, bundle),
        evaluation("Released VGG-like, frozen", bundle, data, work / "released-frozen", frozen),
        evaluation(title, bundle, data, work / "released-hop66", other_hop, ["--hop", "66"]),
    ]


def evaluation(title: str, encoder: Path, data: str, out: Path, protocols: list[str], more: Sequence[str] = ()) -> Step:
    chosen = [word for protocol in protocols for word in ("-p", protocol)]
    arguments = ["evaluate", str(encoder), "--data", data, *SPLIT, *chosen, "--baselines", "--out", str(out), *more]
    return Step(title, Command(out.name, arguments), out)


def section(step: Step, names: dict[str, str]) -> list[str]:
    """A step's command and what came of it. names: By which name each path of this machine goes."""
    lines = [f"## {step.title}", "", *shown(step.command.arguments, names)]
    if step.command.arguments[0] == "pretrain":
        return [*lines, *learning(step.out)]
    return [*lines, *figures(step.out)] if step.command.arguments[0] == "evaluate" else lines


def learning(run: Path) -> list[str]:
    """How much a training heard, its loss, and its accuracy on the way."""
    corpus = json.loads((run / "environment.json").read_text())["corpus"]
    seed = yaml.safe_load((run / "recipe.yaml").read_text())["training"]["seed"]
    curves = read_metrics(run / "metrics.csv")
    last = [value for _, value in curves["loss"][-3:]]
    judged = ", ".join(f"{value:.3f} after {step + 1} steps" for step, value in curves["eval_accuracy"])
    return [
        f"{corpus['clips']} clips, seed {seed}, {corpus['skipped']} skipped. "
        f"Loss {curves['loss'][0][1]:.2f} where it was first logged, {sum(last) / len(last):.2f} at the end. "
        f"kNN (k = 200, on z) among the training folds: {judged}.",
        "",
    ]


def figures(out: Path) -> list[str]:
    """A table of an evaluation's figures, and its notes."""
    result = json.loads((out / "evaluation.json").read_text())
    rows = []
    for row in result["rows"]:
        options = ",".join(f"{key}={value}" for key, value in row["options"].items())
        label = f"{row['protocol']}:{options}" if options else row["protocol"]
        system = row["system"] if row["system"] != result["model"] else "**this encoder**"
        between = "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f} ({row['interval']})"
        measure = measure_name(row["measure"])
        rows.append([label, system, measure, f"{row['value']:.3f}", between])
    header = ["protocol", "system", "measure", "value", "95 % interval"]
    return [*table(header, rows), *(f"- {note}" for note in result["notes"]), ""]


def main(arguments: Sequence[str] | None = None, page: Path = RESULTS / "esc50.md") -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", metavar="ESC50", help="the folder with meta/ and audio/")
    parser.add_argument("work", metavar="WORK", type=Path)
    parser.add_argument("--released", help="the VGG-like encoder that the authors of uclser released")
    given = parser.parse_args(arguments)
    names = {given.data: "ESC50", f"{given.work}/": "runs/"}
    if given.released:
        names[given.released] = Path(given.released).name
    done = steps(given.data, given.work, given.released)
    for step in done:
        run_once(step.command, given.work)
    commits = [written["commit"] for step in done if (written := record(step.command.name, given.work))]
    lines = ["# ESC-50, folds 1-3", "", ABOUT, "", written_by("esc50", commits), "", *notes(page)]
    lines += [line for step in done for line in section(step, names)]
    page.write_text("\n".join(lines).rstrip() + "\n")
    print(page)


if __name__ == "__main__":
    main()
