"""A comparison's figure, table and page show the same figures."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from soundviews.evaluation.compare import Comparison, Difference
from soundviews.evaluation.result import Failure, Row
from soundviews.evaluation.score import Score
from soundviews.evaluation.systems import System
from soundviews.report.compare import comparison_figure, comparison_figures, comparison_sections, write_comparison
from soundviews.report.html import Table


def row(protocol: str, system: str, value: float, **changes) -> Row:
    fields = {"low": value - 0.05, "high": value + 0.05, "interval": "Student t over 3 runs"} | changes
    return Row(
        system,
        protocol,
        {},
        fields.pop("measure", "accuracy"),
        value,
        metrics={},
        per_class={},
        details={},
        runs=[],
        seconds=1.25,
        **fields,
    )


@pytest.fixture
def comparison() -> Comparison:
    rows = [
        row("linear", "noise", 0.3),
        row("linear", "stretch", 0.45),
        row("linear", "theirs", 0.5, low=None, high=None, interval=""),
        row("qbe", "noise", 0.2, measure="mAP"),
        row("qbe", "stretch", 0.19, measure="mAP", interval="bootstrap over classes"),
    ]
    differences = [
        Difference("linear", "stretch", "noise", 0.15, 0.1, 0.2, 0.01, 0.02, "400 test clips"),
        Difference("linear", "theirs", "noise", 0.2, 0.15, 0.25, 0.03, 0.03, "400 test clips"),
        Difference("qbe", "stretch", "noise", -0.01, -0.03, 0.01, 0.4, 0.4, "50 classes"),
    ]
    return Comparison(
        "noise, stretch, theirs",
        "esc50",
        ["test: fold 3 (400 clips)"],
        rows,
        systems=[System("noise", ("a", "b", "c")), System("stretch", ("d",)), System("theirs", ("hear:m",))],
        differences=differences,
        failures=[Failure("theirs", "hear:m", "qbe", "get_scene_embeddings raised <KeyError>")],
    )


def test_the_figure_has_every_value_and_interval(comparison: Comparison) -> None:
    axes = comparison_figure(comparison.rows).axes[0]
    assert sorted(round(bar.get_width(), 3) for bar in axes.patches) == [0.19, 0.2, 0.3, 0.45, 0.5]
    ends = {tuple(segment[:, 0].round(3)) for lines in axes.collections for segment in lines.get_segments()}
    assert {(0.25, 0.35), (0.14, 0.24), (0.5, 0.5)} <= ends
    assert [label.get_text() for label in axes.get_yticklabels()] == ["linear", "qbe"]


def test_a_table_for_each_protocol_with_the_differences(comparison: Comparison) -> None:
    results, failed = comparison_sections(comparison, comparison_figures(comparison))
    linear, qbe = [part for part in results.parts if isinstance(part, Table)]
    assert list(linear.columns) == ["system", "value", "95 % interval", "minus noise", "95 % interval", "p"]
    assert linear.rows == [
        ["noise", "0.300", "0.250 to 0.350", "", "", ""],
        ["stretch", "0.450", "0.400 to 0.500", "+0.150", "+0.100 to +0.200", "0.0200"],
        ["theirs", "0.500", "", "+0.200", "+0.150 to +0.250", "0.0300"],
    ]
    assert qbe.caption.endswith("Student t over 3 runs: noise; bootstrap over classes: stretch")
    assert failed.title == "Not judged"


def test_all_files_are_written(comparison: Comparison, tmp_path: Path) -> None:
    table, page, figure = write_comparison(tmp_path, comparison)
    lines = list(csv.DictReader(table.read_text().splitlines()))
    assert [(line["protocol"], line["system"], float(line["value"])) for line in lines] == [
        (row.protocol, row.system, row.value) for row in comparison.rows
    ]
    assert lines[0]["difference"] == "" and float(lines[1]["p_holm"]) == 0.02 and lines[1]["paired"] == "400 test clips"
    assert lines[2]["low"] == "" and lines[4]["measure"] == "mAP"
    assert figure.name == "compare.svg" and "<svg" in figure.read_text()
    html = page.read_text()
    assert (
        "By linear (mean per-class accuracy): theirs 0.500, ahead of noise 0.300 (p = 0.03); "
        "level with stretch 0.450 (no difference shown)."
    ) in html
    assert "By qbe (mAP): noise 0.200, level with stretch 0.190 (no difference shown, p = 0.4)." in html
    assert "raised &lt;KeyError&gt;" in html and "paired over 400 test clips (linear), 50 classes (qbe)" in html


def test_classes_and_invariance_have_figures_of_their_own(comparison: Comparison, tmp_path: Path) -> None:
    transformations = {"stretch": {"invariance": 0.7, "found_again": 0.5, "own": 0.9, "unrelated": 0.3}}
    scores = [[Score({"invariance": 0.7}, {"stretch": 0.7}, {"transformations": transformations})]]
    comparison.rows.append(row("invariance", "noise", 0.7, measure="invariance", scores=scores))
    f1 = {"dog": 0.5, "rain": 0.25}
    comparison.rows[:2] = [replace(one, f1=f1, confusion=[[1, 1], [0, 2]]) for one in comparison.rows[:2]]
    comparison.classes = ["dog", "rain"]
    figures = comparison_figures(comparison)
    confusions = ["confusion-noise-linear", "confusion-stretch-linear"]
    assert list(figures) == ["compare", "f1", *confusions, "invariance"]
    assert [bar.get_width() for bar in figures["f1"].drawing.axes[0].patches] == [0.25, 0.5] * 2
    titles = [section.title for section in comparison_sections(comparison, figures)]
    assert titles == ["Results", "Classes", "Invariance", "Not judged"]
    assert {path.name for path in write_comparison(tmp_path, comparison)} >= {
        "f1.svg",
        "confusion-noise-linear.svg",
        "invariance.svg",
    }
