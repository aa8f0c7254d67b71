"""The page about acl, from results made up here."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from studies import _acl_page, acl
from studies._acl import Study

LINEAR = {"noise": [0.30, 0.40], "masking": [0.50, 0.60]}  # macro F1 by row, then seed


def judged(system: str, protocol: str, values: list[float], **more: Any) -> dict[str, Any]:
    """A row of compare.json or evaluation.json, in which every measure is the same, less in weighted precision."""
    runs = [{"seed": 0, "accuracy": each, "macro_f1": each, "weighted_precision": 1 - each} for each in values]
    mean = sum(values) / len(values)
    metrics = {"accuracy": mean, "macro_f1": mean, "weighted_precision": 1 - mean}
    row = {"system": system, "protocol": protocol, "options": {"style": "acl"}, "measure": "accuracy"}
    return row | {"value": mean, "low": 0.1, "high": 0.9, "metrics": metrics, "runs": runs} | more


def keep(study: Study, name: str, file: str, page: dict[str, Any]) -> None:
    study.out(name).mkdir(parents=True)
    (study.out(name) / file).write_text(json.dumps(page))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Two rows of two seeds, compared; the last fine-tuning is still to come."""
    recipes = {"noise": "acl/small/noise", "masking": "acl/small/masking"}
    study = Study("data/esc50", tmp_path, recipes, ["data/esc50"], ["--test-folds", "3"], "epochs=3", [])
    rows = [judged(row, "linear", values) for row, values in LINEAR.items()]
    rows.append(judged("logmel", "linear", [0.2]))
    rows += [judged(row, "invariance", values, options={}, per_class={"gain": 0.9}) for row, values in LINEAR.items()]
    difference = {"protocol": "linear:style=acl", "system": "masking", "difference": 0.2, "p_holm": 0.03}
    keep(study, "frozen", "compare.json", {"tasks": ["folds"], "rows": rows, "differences": [difference]})
    for name in ("compare", "invariance", "f1-linear-style-acl", "f1-linear-style-logistic"):
        (study.out("frozen") / f"{name}.svg").write_text(name)
    (study.out("frozen") / "confusion-masking-linear-style-acl.svg").write_text("confusion")
    keep(study, "random", "evaluation.json", {"rows": [judged("mine", "random", [0.05])]})
    keep(study, "scratch", "evaluation.json", {"rows": [judged("mine", "scratch", [0.7, 0.9])]})
    study.run_of("masking", 0).mkdir(parents=True)
    (study.run_of("masking", 0) / "metrics.csv").write_text("step,bilinear_accuracy\n9,0.125\n19,0.25\n")
    (tmp_path / "logs").mkdir()
    for row, seed in [("noise", 0), ("noise", 1), ("masking", 0)]:
        tuned = study.finetune(row, seed)
        keep(study, f"{row}-seed{seed}-finetuned", "evaluation.json", {"rows": [judged(row, "finetune", [0.6])]})
        for name in (tuned.name, study.pretrain(row, seed).name):
            (tmp_path / "logs" / f"{name}.json").write_text(json.dumps({"seconds": 90, "commit": "abc1234"}))
    return study


def test_at_full_size_encoders_learn_from_what_the_paper_learned_from(tmp_path: Path) -> None:
    given = argparse.Namespace(
        data="DESED", work=tmp_path, learn="AUDIOSET", learn_splits="unbalanced_train", quick=False
    )
    learning = acl.study_of(given).pretrain("noise", 0).arguments
    assert learning[:4] == ["pretrain", "AUDIOSET", "--splits", "unbalanced_train"]
    given.learn_splits = ""
    assert "--splits" not in acl.study_of(given).pretrain("noise", 0).arguments


def cells(text: str, section: str) -> dict[str, list[str]]:
    """Rows of the table below a heading by all that stands before their numbers."""
    lines = text.split(f"## {section}\n")[1].split("\n## ")[0].splitlines()
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return {row[1] if section == "Frozen" else row[0]: row for row in table[1:]}


def test_every_section_says_what_was_found(study: Study, tmp_path: Path) -> None:
    page, images = tmp_path / "results" / "acl.md", tmp_path / "images"
    page.parent.mkdir()
    images.mkdir()
    _acl_page.write(study, ["noise", "masking"], [0, 1], page, images)
    text = page.read_text()

    assert cells(text, "Encoders")["masking"][3:] == ["1.5 -", "1.5 -", "0.25 -"]
    frozen = cells(text, "Frozen")
    assert list(frozen) == ["noise", "masking", "random encoder", "logmel"]
    assert frozen["masking"][3:] == ["0.550 (0.100 to 0.900)", "0.550", "0.450", "+0.200", "0.030"]
    assert frozen["random encoder"][3] == "0.050 (0.100 to 0.900)"
    tuned = cells(text, "Fine-tuned")
    assert [tuned[row][1] for row in ("noise", "masking", "from scratch")] == ["2", "1", "2"]
    assert tuned["masking"][2:] == ["0.600", "0.600", "0.400", "0.600"] and tuned["from scratch"][2].startswith(
        "0.800 ("
    )
    assert tuned["from scratch"][-1] == "0.700 0.900"
    assert cells(text, "Invariance") == {"noise": ["noise", "0.900"], "masking": ["masking", "0.900"]}
    order = cells(text, "The order of the rows, beside the paper's")
    assert order["noise"][1:3] == ["0.350 (0.434)", "0.600 (0.629)"]
    assert order["Kendall's tau"][1] == "+1.00" and order["Kendall's tau"][3] == "-1.00"
    assert all(f"(../images/{name})" in text for name in _acl_page.PICTURES)
    assert [(images / name).read_text() for name in _acl_page.PICTURES] == [
        "compare",
        "invariance",
        "f1-linear-style-acl",
    ]
    assert "(../images/acl_confusion-masking-linear-style-acl.svg)" in text and "### Confusions" in text
    assert (images / "acl_confusion-masking-linear-style-acl.svg").read_text() == "confusion"
    assert str(tmp_path) not in text and "ran at abc1234" in text
