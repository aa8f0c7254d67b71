"""The tables of the pages about ssep, from results made up here."""

import json
from pathlib import Path
from typing import Any

from studies import _ssep_tables as tables

MEASURE = {"qbe": "mAP", "retrieval": "mAP", "shallow": "mAP", "linear": "accuracy"}


def judged(values: dict[str, list[float]], system: str) -> list[dict[str, Any]]:
    """Rows of evaluation.json: values of each protocol, one a seed."""
    return [
        {
            "system": system,
            "protocol": protocol,
            "measure": MEASURE[protocol],
            "value": sum(each) / len(each),
            "low": 0.1,
            "high": 0.9,
            "runs": [{"seed": seed, MEASURE[protocol]: value} for seed, value in enumerate(each)],
        }
        for protocol, each in values.items()
    ]


def keep(work: Path, name: str, rows: list[dict[str, Any]]) -> None:
    for folder in (work / name, work / "logs"):
        folder.mkdir(parents=True, exist_ok=True)
    (work / name / "evaluation.json").write_text(json.dumps({"model": "mine", "rows": rows}))
    (work / "logs" / f"{name}.json").write_text(json.dumps({"seconds": 90}))


def test_rows_have_the_mean_and_the_range_over_seeds_and_differences_are_paired(tmp_path: Path) -> None:
    for row, qbe in {"mix-mix": (0.30, 0.40), "mix-chan": (0.36, 0.39)}.items():
        for seed in (0, 1):
            keep(tmp_path, f"{row}-{seed}-judged", judged({p: [qbe[seed]] for p in MEASURE}, "mine"))
    baselines = judged({p: [0.1, 0.2] for p in MEASURE}, "random encoder")
    keep(tmp_path, "baselines", [*baselines, *judged({p: [0.05] for p in MEASURE}, "log-mel statistics")])

    results = tables.read_results(["mix-mix", "mix-chan", "n"], [0, 1], tmp_path)
    assert sorted(results) == [("mix-chan", 0), ("mix-chan", 1), ("mix-mix", 0), ("mix-mix", 1)]

    lines = tables.results_table(results, ["mix-mix", "n"], tmp_path)
    mine, missing, statistics, random = (line.strip("| ").split(" | ") for line in lines[2:-1])
    assert mine[2:4] == ["2", "0.350 (0.300 to 0.400)"] and mine[-2:] == ["0.613", "0.265"]
    assert missing[2:4] == ["0", "-"]
    assert statistics[3] == "0.050 (0.100 to 0.900)"  # one run: the interval that came with it
    assert random[3] == "0.150 (0.100 to 0.200)"

    (difference,) = (line for line in tables.differences_table(results) if line.startswith("| mix-chan minus mix-mix"))
    assert difference.strip("| ").split(" | ")[1:4] == ["+0.025 (1 of 2)", "+0.027", "+0.025 (1 of 2)"]
