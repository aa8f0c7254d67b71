"""What the pages about ssep show: encoders and their differences, the separator's figures, pictures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from soundviews.pretraining.log import read_metrics
from soundviews.report.figures import training_curves
from soundviews.report.words import measure_name
from studies._page import notes, record, table, written_by
from studies._ssep import PROTOCOLS, ROWS, Study, run_name

PAPER = {"qbe": 0, "shallow": 1}  # which of the paper's two figures is comparable in kind
PAIRS = (
    ("mix-chan", "mix-mix"),
    ("mix-chan", "chan-chan"),
    ("joint", "mix-chan"),
    ("joint", "cp"),
    ("n", "mix-mix"),
    ("n", "mix-chan"),
)

Judged = dict[str, dict[str, Any]]  # protocol: its row of evaluation.json
Results = dict[tuple[str, int], Judged]  # by row and seed
SEVERAL = (
    "Mean over the seeds, in brackets the smallest and the largest; where no seed matters (log-mel statistics), a 95 % "
    "bootstrap interval instead."
)
ONE = (
    "One seed; in brackets a 95 % bootstrap interval over the classes (qbe, retrieval) or the test clips, where "
    "there is one. It does not say how much another run would differ."
)


def write(page: Path, title: str, about: str, study: Study, sections: Sequence[str]) -> None:
    """A page: title, what it is about, where it comes from, what was written by hand, then `sections`."""
    provenance_line = written_by(page.stem, provenance(study.work)[0])
    lines = [f"# {title}", "", about, "", provenance_line, "", *notes(page), *sections]
    page.write_text("\n".join(lines).rstrip() + "\n")
    print(page)


def encoders_section(study: Study, rows: list[str], names: dict[str, str]) -> list[str]:
    """The encoders: commands, figures, differences, time."""
    results = read_results(rows, study.seeds, study.work)
    missing = [f"{row} (seed {seed})" for row in rows for seed in study.seeds if (row, seed) not in results]
    return [
        "## Encoders",
        "",
        f"Channels of all clips, prepared once in {minutes('channels', study.work)} min:",
        "",
        *study.shown(study.prepare(), names),
        "One run, and how it was judged; the others differ in the recipe, the seed and the folder:",
        "",
        *study.shown(study.pretrain("mix-chan", study.seeds[0]), names),
        *study.shown(study.evaluate("mix-chan", study.seeds[0]), names),
        *table(["row", "recipe"], [[row, f"`{ROWS[row].recipe}`"] for row in rows]),
        f"{SEVERAL if len(study.seeds) > 1 else ONE} The paper's figures are for AudioSet; its classification is the "
        "protocol `shallow`.",
        "",
        *([f"Not there yet: {', '.join(missing)}.", ""] if missing else []),
        *results_table(results, rows, study.work),
        "## Differences",
        "",
        "Paired by seed: the mean difference, in brackets in how many seeds the first is the better; beside it the "
        "paper's difference.",
        "",
        *differences_table(results),
        "## Time",
        "",
        f"Wall time; {provenance(study.work)[1]}.",
        "",
        *runs_table(results, study.work),
    ]


def judged(out: Path, system: str | None = None) -> Judged:
    """Rows of an evaluation by protocol: those of the encoder, or of the baseline `system`."""
    path = out / "evaluation.json"
    if not path.is_file():
        return {}
    result = json.loads(path.read_text())
    return {row["protocol"]: row for row in result["rows"] if row["system"] == (system or result["model"])}


def read_results(rows: Sequence[str], seeds: Sequence[int], work: Path) -> Results:
    """The results of the runs whose judging is complete."""
    keys = [(row, seed) for row in rows for seed in seeds]
    done = [key for key in keys if record(run_name(*key) + "-judged", work)]
    return {key: judged(work / f"{run_name(*key)}-judged") for key in done}


def results_table(results: Results, rows: Sequence[str], work: Path) -> list[str]:
    """A line for each row and baseline: mean over seeds and their range; of one seed the interval that came with it."""
    protocols = [protocol.partition(":")[0] for protocol in PROTOCOLS]
    lines: list[list[str]] = []
    for name in rows:
        of_row = [mine for (row, _), mine in results.items() if row == name]
        cells = [_cell([mine[protocol] for mine in of_row]) for protocol in protocols]
        paper = [f"{value:.3f}" for value in ROWS[name].paper]
        lines.append([name, ROWS[name].words, str(len(of_row)), *cells, *paper])
    for system in ("log-mel statistics", "random encoder"):
        mine = judged(work / "baselines", system)
        cells = [_cell([mine[protocol]]) if protocol in mine else "-" for protocol in protocols]
        lines.append([system, "", str(_runs(mine)), *cells, "", ""])
    measures = _measures(results)
    header = ["row", "what", "seeds", *(f"{name}, {measures.get(name, '')}" for name in protocols)]
    return table([*header, "paper: QbE mAP", "paper: classification mAP"], lines)


def _measures(results: Results) -> dict[str, str]:
    example = next(iter(results.values()), {})
    return {name: str(measure_name(row["measure"])) for name, row in example.items()}


def _runs(mine: Judged) -> int:
    return max((len(row["runs"]) for row in mine.values()), default=0)


def _cell(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of one protocol, one for each seed, or one that is a mean over seeds itself."""
    values = [run[row["measure"]] for row in rows for run in row["runs"] if run[row["measure"]] is not None]
    if not values:
        return "-"
    mean = sum(values) / len(values)
    if len(values) > 1:
        return f"{mean:.3f} ({min(values):.3f} to {max(values):.3f})"
    low, high = rows[0]["low"], rows[0]["high"]
    return f"{mean:.3f}" if low is None else f"{mean:.3f} ({low:.3f} to {high:.3f})"


def differences_table(results: Results) -> list[str]:
    """Pairs of rows, paired by seed: mean difference and in how many seeds the first is the better."""
    protocols = [protocol.partition(":")[0] for protocol in PROTOCOLS]
    lines = []
    for first, second in PAIRS:
        seeds = sorted(seed for row, seed in results if row == first and (second, seed) in results)
        if not seeds:
            continue
        cells = []
        for protocol in protocols:
            gains = [results[first, s][protocol]["value"] - results[second, s][protocol]["value"] for s in seeds]
            better = sum(gain > 0 for gain in gains)
            cells.append(f"{sum(gains) / len(gains):+.3f} ({better} of {len(gains)})")
            if protocol in PAPER:
                which = PAPER[protocol]
                cells.append(f"{ROWS[first].paper[which] - ROWS[second].paper[which]:+.3f}")
        lines.append([f"{first} minus {second}", *cells])
    measures, header = _measures(results), ["difference"]
    for protocol in protocols:
        header.append(f"{protocol}, {measures.get(protocol, '')}")
        header += ["paper"] if protocol in PAPER else []
    return table(header, lines) if lines else []


def runs_table(results: Results, work: Path) -> list[str]:
    """Wall time of each run and its loss in the first and the last steps that were logged."""
    lines = []
    for row, seed in results:
        name = run_name(row, seed)
        losses = [value for _, value in read_metrics(work / name / "metrics.csv")["loss"]]
        first, last = losses[0], sum(losses[-3:]) / len(losses[-3:])
        lines.append([row, str(seed), minutes(name, work), minutes(f"{name}-judged", work), f"{first:.2f}, {last:.2f}"])
    return table(["row", "seed", "pretraining, min", "judging, min", "loss: first, mean of the last three"], lines)


def minutes(name: str, work: Path) -> str:
    seconds = (record(name, work) or {}).get("seconds")
    return "-" if seconds is None else f"{seconds / 60:.1f}"


def provenance(work: Path) -> tuple[list[str], str]:
    """Commits that the commands ran at, and how many threads they had."""
    records = [json.loads(path.read_text()) for path in sorted((work / "logs").glob("*.json"))]
    threads = sorted({written["threads"] for written in records})
    return [written["commit"] for written in records], f"OMP_NUM_THREADS: {', '.join(threads)}"


def separator_minutes(separator: Path) -> float:
    """From the beginning of a run to its last processor, by the times of its files."""
    begun = (separator / "environment.json").stat().st_mtime
    return (max(path.stat().st_mtime for path in separator.glob("processors/*/*.json")) - begun) / 60


# The released program's network with fresh weights, M = 2, on 3 s of a tone and noise; range over three seeds.
UNTRAINED = ["the released network, untrained", "0", "-", "-", ".963 to .970", ".863 to .880", "-6.0 to -5.5", "-"]


def character_table(result: Mapping[str, Any]) -> list[str]:
    """Figures of `separate evaluate` by processor, in the order of their steps."""
    header = ["processor", "steps", "SI-SNRi, dB", "MoMi, dB", "correlation with the mixture"]
    header += ["of the channels with each other", "level, dB", "near-empty"]
    forms = {"msi": ".2f", "momi": ".2f", "mixture_correlation": ".3f", "channel_correlation": ".3f"}
    forms |= {"level": ".1f", "near_empty": ".0%"}
    lines = []
    for processor in sorted(result["processors"], key=lambda processor: processor["step"]):
        values = [(processor["figures"][name], form) for name, form in forms.items()]
        cells = ["-" if value is None else format(value, form) for value, form in values]
        lines.append([processor["processor"], f"{processor['step']:,}", *cells])
    return table(header, [*lines, UNTRAINED])


def curve(result: Mapping[str, Any], figures: Mapping[str, str], path: Path) -> None:
    """Draw figures of `separate evaluate` over the steps of the processors; figures: name in JSON to title."""
    ordered = sorted(result["processors"], key=lambda processor: processor["step"])
    curves = {title: [(each["step"], each["figures"][name]) for each in ordered] for name, title in figures.items()}
    training_curves(curves).savefig(path, dpi=100)


def keep_picture(made: Path, kept: Path) -> None:
    """As a JPEG 900 pixels wide: spectrograms of noise are a megabyte as PNG."""
    with Image.open(made) as picture:
        smaller = picture.convert("RGB").resize((900, round(picture.height * 900 / picture.width)))
    smaller.save(kept, quality=75, optimize=True)
