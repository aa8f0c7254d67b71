"""What the page about acl shows: every row frozen, fine-tuned and by its invariance; its order beside the paper's."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scipy.stats import kendalltau

from soundviews.evaluation.intervals import student_t
from soundviews.pretraining.log import read_metrics
from studies._acl import ROWS, SCRATCH, Study
from studies._page import RESULTS, notes, picture, record, shown, table, written_by

METRICS = {"accuracy": "accuracy", "mAP": "mAP", "macro_f1": "macro F1", "weighted_precision": "weighted precision"}
PICTURES = {
    "acl_compare.svg": ("compare.svg",),
    "acl_invariance.svg": ("invariance.svg",),
    "acl_f1.svg": ("f1-linear-style-acl.svg", "f1.svg"),  # where the rows are too many for one figure, each protocol's
}

Json = dict[str, Any]


def write(study: Study, rows: list[str], seeds: list[int], page: Path, images: Path) -> None:
    compared = json.loads((study.out("frozen") / "compare.json").read_text())
    tuned = {row: _tuned(study, row, seeds) for row in rows}
    lines = [
        f"# acl: invariance, and what it is worth ({study.name})",
        "",
        f"Encoders of the rows of acl's tables, {len(seeds)} seeds each, judged frozen and fine-tuned on {study.name}: "
        f"{'; '.join(compared['tasks'])}.",
        "",
        written_by("acl", _commits(study, rows, seeds)),
        "",
        *notes(page),
        *_encoders(study, rows, seeds),
        *_frozen(study, compared, rows, seeds, page, images),
        *_finetuned(study, tuned, rows, seeds),
        *_invariance(study, compared, page, images),
        *_order(compared, tuned, rows),
    ]
    page.write_text("\n".join(lines).rstrip() + "\n")
    print(page)


def _commits(study: Study, rows: Sequence[str], seeds: Sequence[int]) -> set[str]:
    names = [study.pretrain(row, seed).name for row in rows for seed in seeds]
    names += [study.finetune(row, seed).name for row in rows for seed in seeds]
    records = [record(name, study.work) for name in [*names, study.compare(list(rows), list(seeds)).name]]
    return {written["commit"] for written in records if written}


def _names(study: Study) -> dict[str, str]:
    """By which name each path of this machine goes."""
    return {study.data: study.name.upper(), study.learn[0]: Path(study.learn[0]).stem.upper(), f"{study.work}/": ""}


def _minutes(study: Study, name: str) -> str:
    written = record(name, study.work)
    return f"{written['seconds'] / 60:.1f}" if written and written["seconds"] else "-"


def _in_batch(study: Study, row: str, seed: int) -> str:
    """In-batch accuracy of the last batch that was logged."""
    path = study.run_of(row, seed) / "metrics.csv"
    return f"{read_metrics(path)['bilinear_accuracy'][-1][1]:.2f}" if path.is_file() else "-"


def _encoders(study: Study, rows: Sequence[str], seeds: Sequence[int]) -> list[str]:
    lines = []
    for row in rows:
        minutes = [_minutes(study, study.pretrain(row, seed).name) for seed in seeds]
        whole = [_minutes(study, study.finetune(row, seed).name) for seed in seeds]
        by_seed = [" ".join(each) for each in (minutes, whole, [_in_batch(study, row, seed) for seed in seeds])]
        lines.append([row, ROWS[row].words, f"`{study.recipes[row]}`", *by_seed])
    header = ["row", "blocks on the positive", "recipe", "minutes of pretraining, by seed", "of fine-tuning"]
    header.append("in-batch accuracy, last logged")
    example = study.pretrain(rows[-1], seeds[0]).arguments
    return ["## Encoders", "", *shown(example, _names(study)), *table(header, lines)]


def _frozen(study: Study, compared: Json, rows: list[str], seeds: list[int], page: Path, images: Path) -> list[str]:
    differences = {(less["protocol"], less["system"]): less for less in compared["differences"]}
    lines = []
    for row in compared["rows"]:
        if row["protocol"] == "invariance":
            continue
        label = _label(row)
        less = differences.get((label, row["system"]))
        cells = [f"{less['difference']:+.3f}", _p(less["p_holm"])] if less else ["", ""]
        others = [_metric(row, name) for name in ("macro_f1", "weighted_precision")]
        lines.append([label, row["system"], row["measure"], _value(row), *others, *cells])
    random = json.loads((study.out("random") / "evaluation.json").read_text())["rows"][0]
    others = [_metric(random, name) for name in ("macro_f1", "weighted_precision")]
    lines.insert(len(rows), ["linear:style=acl", "random encoder", random["measure"], _value(random), *others, "", ""])
    header = ["protocol", "row", "measure", "value", "macro F1", "weighted precision", f"less {rows[0]}", "p"]
    return [
        "## Frozen",
        "",
        *shown(study.compare(rows, seeds).arguments, _names(study)),
        f"In brackets 95 % intervals: over {len(seeds)} pretrainings (Student t), of one run a bootstrap. "
        "Differences are paired over the same test clips (or classes, for qbe and retrieval), p is corrected for the "
        "number of rows (Holm); they speak for these encoders on other clips, not for other pretrainings.",
        "",
        *table(header, lines),
        *_picture(study, "acl_compare.svg", page, images, "every protocol by row, with intervals"),
        *_picture(study, "acl_f1.svg", page, images, "F1 of each class by row"),
        *_confusions(study, page, images),
    ]


def _finetuned(study: Study, tuned: dict[str, list[Json]], rows: list[str], seeds: list[int]) -> list[str]:
    lines = [[row, *_repeated(tuned[row])] for row in rows]
    scratch = json.loads((study.out("scratch") / "evaluation.json").read_text())["rows"][0]
    lines.append(["from scratch", *_repeated(scratch["runs"])])
    header = ["row", "runs", *METRICS.values(), "accuracy or mAP, by seed"]
    columns = [column for column, _ in enumerate(header) if any(line[column] != "-" for line in lines)]
    return [
        "## Fine-tuned",
        "",
        *shown(study.finetune(rows[-1], seeds[0]).arguments, _names(study)),
        "Mean over the runs, in brackets a 95 % interval (Student t).",
        "",
        *table([header[column] for column in columns], [[line[column] for column in columns] for line in lines]),
    ]


def _repeated(runs: Sequence[Json]) -> list[str]:
    """How many, every metric's mean, and the first metric of each."""
    firsts = [f"{run.get('accuracy', run.get('mAP')):.3f}" for run in runs]
    return [str(len(runs)), *(_over(runs, name) for name in METRICS), " ".join(firsts)]


def _invariance(study: Study, compared: Json, page: Path, images: Path) -> list[str]:
    rows = [row for row in compared["rows"] if row["protocol"] == "invariance"]
    names = list(dict.fromkeys(name for row in rows for name in row["per_class"]))
    lines = [[row["system"], *(_number(row["per_class"].get(name)) for name in names)] for row in rows]
    return [
        "## Invariance",
        "",
        "1: the transformation does not move h; 0: it moves h as far as to an unrelated clip.",
        "",
        *table(["row", *names], lines),
        *_picture(study, "acl_invariance.svg", page, images, "invariance of each row to each transformation"),
    ]


def _order(compared: Json, tuned: dict[str, list[Json]], rows: list[str]) -> list[str]:
    """Ours beside the paper's, and Kendall's tau between the orders of the rows."""
    frozen = {row["system"]: row for row in compared["rows"] if _label(row) == "linear:style=acl"}
    ours = [
        [_mean(kind[row], metric) for row in rows]
        for metric in ("macro_f1", "weighted_precision")
        for kind in ({row: frozen[row]["runs"] for row in rows}, tuned)
    ]
    paper = [[ROWS[row].paper[column] for row in rows] for column in range(4)]
    lines = [
        [row, *(f"{mine[index]:.3f} ({theirs[index]:.3f})" for mine, theirs in zip(ours, paper, strict=True))]
        for index, row in enumerate(rows)
    ]
    taus = [f"{kendalltau(mine, theirs).statistic:+.2f}" for mine, theirs in zip(ours, paper, strict=True)]
    taus = ["-" if tau == "+nan" else tau for tau in taus]  # all rows are equal
    header = ["row", "macro F1, frozen", "fine-tuned", "weighted precision, frozen", "fine-tuned"]
    return [
        "## The order of the rows, beside the paper's",
        "",
        "In brackets the paper's figures, F1 on DESED and weighted precision on its subset of AudioSet (from scratch "
        f"{SCRATCH[0]:.2f} and {SCRATCH[1]:.3f}): other corpora, so that only the order can be compared. Kendall's tau "
        "is 1 where it is the same, -1 where it is the reverse.",
        "",
        *table(header, [*lines, ["Kendall's tau", *taus]]),
    ]


def _tuned(study: Study, row: str, seeds: Sequence[int]) -> list[Json]:
    """The fine-tuned runs of a row that are complete."""
    done = [seed for seed in seeds if record(study.finetune(row, seed).name, study.work)]
    paths = [study.out(f"{row}-seed{seed}-finetuned") / "evaluation.json" for seed in done]
    return [run for path in paths for run in json.loads(path.read_text())["rows"][0]["runs"]]


def _label(row: Json) -> str:
    given = ",".join(f"{key}={value}" for key, value in row["options"].items())
    return f"{row['protocol']}:{given}" if given else str(row["protocol"])


def _value(row: Json) -> str:
    between = "" if row["low"] is None else f" ({row['low']:.3f} to {row['high']:.3f})"
    return f"{row['value']:.3f}{between}"


def _metric(row: Json, name: str) -> str:
    return _number(row["metrics"].get(name))


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _mean(runs: Sequence[Json], metric: str) -> float:
    return sum(run[metric] for run in runs) / len(runs) if runs else float("nan")


def _over(runs: Sequence[Json], metric: str) -> str:
    """Mean and interval over the runs; a dash where they do not have the metric."""
    values = [run[metric] for run in runs if metric in run]
    if len(values) < 2:
        return f"{values[0]:.3f}" if values else "-"
    interval = student_t(values, "")
    return f"{_mean(runs, metric):.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _confusions(study: Study, page: Path, images: Path) -> list[str]:
    """The confusions of each row, frozen, by acl's linear style (Fig. 4); nothing beside ESC-50's fifty classes."""
    if page.parent == RESULTS:
        return []
    lines = []
    for made in sorted(study.out("frozen").glob("confusion-*style-acl*.svg")):
        shutil.copyfile(made, images / f"acl_{made.name}")
        lines += picture(images / f"acl_{made.name}", page, made.stem.replace("-", " "))
    return ["### Confusions", "", "In shares of each class's clips, as in Figure 4.", "", *lines] if lines else []


def _picture(study: Study, name: str, page: Path, images: Path, words: str) -> list[str]:
    """The figure that `compare` made, kept beside the page; nothing where it made none."""
    made = [path for file in PICTURES[name] if (path := study.out("frozen") / file).is_file()]
    if not made:
        return []
    shutil.copyfile(made[0], images / name)
    return picture(images / name, page, words)
