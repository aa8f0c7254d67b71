"""Make docs/results/esc50.md: pretrain on folds 1-2 of ESC-50, judge on fold 3, every figure beside its command.

    python studies/esc50.py ESC50 WORK [--released uclser_vgg.pth]

Each command runs only if its result is not in WORK yet, so the page can be finished in pieces.
"""

import argparse
import json
import subprocess
from pathlib import Path

import yaml

from _page import notes, table, written_by
from soundviews.evaluation.runner import MEASURES
from soundviews.pretraining.log import read_metrics

PAGE = Path(__file__).with_suffix(".md")
SPLIT = ["--train-folds", "1,2", "--test-folds", "3"]
RECIPES = {"uclser": "uclser/small", "cola": "cola/small", "cola-augmented": "cola/small-augmented"}
WHOLE = {
    "uclser": "style=uclser,epochs=40,batch_size=64,precision=bf16",
    "cola": "style=cola,epochs=40,precision=bf16",
}


def commands(data: str, work: Path, released: str | None) -> list[tuple[str, Path, list[str]]]:
    """(title, what proves that it is done, arguments) of every command, in order."""
    steps: list[tuple[str, Path, list[str]]] = []
    for name, recipe in RECIPES.items():
        run = work / name
        judged = ["--eval-data", data, "--eval-folds", "1,2"]
        steps.append(
            (
                f"pretrain `{recipe}`",
                run / "bundle" / "config.json",
                ["pretrain", data, "--folds", "1,2", "-r", recipe, "-o", str(run), *judged],
            )
        )
        style = name.partition("-")[0]
        frozen = ["qbe", "knn:k=20", "linear:style=logistic", f"linear:style={style}"]
        steps.append(evaluation(f"`{recipe}`, frozen", str(run), data, work / f"{name}-frozen", frozen))
        if name in WHOLE:
            whole = [f"finetune:{WHOLE[name]}"]
            steps.append(evaluation(f"`{recipe}`, whole network", str(run), data, work / f"{name}-whole", whole))
    if released:
        bundle = work / "released_vgg"
        arguments = ["convert", "uclser20", released, str(bundle)]
        steps.append(("convert the authors' released VGG-like encoder", bundle / "config.json", arguments))
        frozen = ["qbe", "knn:k=20", "linear:style=logistic", "linear:style=uclser"]
        steps.append(evaluation("released VGG-like, frozen", str(bundle), data, work / "released-frozen", frozen))
        title = "released VGG-like, windows 66 frames apart"
        hop = evaluation(title, str(bundle), data, work / "released-hop66", ["qbe", "linear:style=logistic"])
        hop[2].extend(["--hop", "66"])
        steps.append(hop)
    return steps


def evaluation(title: str, bundle: str, data: str, out: Path, protocols: list[str]) -> tuple[str, Path, list[str]]:
    chosen = [word for protocol in protocols for word in ("-p", protocol)]
    arguments = ["evaluate", bundle, "--data", data, *SPLIT, *chosen, "--baselines", "--out", str(out)]
    return title, out / "report.html", arguments


def section(title: str, done: Path, arguments: list[str], data: str, work: Path) -> list[str]:
    shown = ["soundviews", *arguments]
    shown = [word.replace(data, "ESC50").replace(f"{work}/", "runs/") for word in shown]
    shown = [Path(word).name if word.endswith(".pth") else word for word in shown]
    lines = [f"## {title[0].upper()}{title[1:]}", "", "```", " ".join(shown), "```", ""]
    if arguments[0] == "pretrain":
        run = done.parent.parent
        environment = json.loads((run / "environment.json").read_text())
        seed = yaml.safe_load((run / "recipe.yaml").read_text())["training"]["seed"]
        curves = read_metrics(run / "metrics.csv")
        lines += [
            f"{environment['corpus']['clips']} clips, seed {seed}, {environment['corpus']['skipped']} skipped. "
            f"Loss {curves['loss'][0][1]:.2f} where it was first logged, "
            f"{sum(v for _, v in curves['loss'][-3:]) / 3:.2f} at the end. kNN (k = 200, on z) among the training "
            "folds: " + ", ".join(f"{v:.3f} after {s + 1} steps" for s, v in curves["eval_accuracy"]) + ".",
            "",
        ]
    elif arguments[0] == "evaluate":
        result = json.loads((done.parent / "evaluation.json").read_text())
        rows = []
        for row in result["rows"]:
            options = ",".join(f"{key}={value}" for key, value in row["options"].items())
            label = f"{row['protocol']}:{options}" if options else row["protocol"]
            system = row["system"] if row["system"] != result["model"] else "**this encoder**"
            between = "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f} ({row['interval']})"
            measure = MEASURES.get(row["measure"], row["measure"])
            rows.append([label, system, measure, f"{row['value']:.3f}", between])
        lines += table(["protocol", "system", "measure", "value", "95 % interval"], rows)
        lines += [*(f"- {note}" for note in result["notes"]), ""]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("work", type=Path)
    parser.add_argument("--released")
    chosen = parser.parse_args()
    lines = [
        "# ESC-50, folds 1-3",
        "",
        "1,200 real recordings of 5 s, 50 classes. Encoders learn from the audio of folds 1 and 2 without labels; "
        "classifiers train on folds 1 and 2; fold 3 judges.",
        "",
        written_by("esc50.py"),
        "",
        *notes(PAGE),
    ]
    for title, done, arguments in commands(chosen.data, chosen.work, chosen.released):
        if not done.is_file():
            subprocess.run(["soundviews", *arguments], check=True)
        lines += section(title, done, arguments, chosen.data, chosen.work)
    PAGE.write_text("\n".join(lines).rstrip() + "\n")
    print(PAGE)


if __name__ == "__main__":
    main()
