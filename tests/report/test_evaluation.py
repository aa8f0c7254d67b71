"""An evaluation's report: every class of every row in a table."""

from dataclasses import replace
from pathlib import Path

import pytest

from soundviews.evaluation.result import Evaluation, Row
from soundviews.report.evaluation import _bar, evaluation_sections, write_evaluation
from soundviews.report.html import Figure, Table


def row(protocol: str, system: str, measure: str, per_class: dict[str, float]) -> Row:
    value = sum(per_class.values()) / len(per_class)
    figures = {measure: value}
    return Row(system, protocol, {}, measure, value, None, None, "", figures, per_class, {}, [], 1.0)


def classes_of(evaluation: Evaluation) -> tuple[Table, bool]:
    """The table of the classes, and whether bars stand beside it."""
    (section,) = [section for section in evaluation_sections(evaluation) if section.title == "Classes"]
    (table,) = [part for part in section.parts if isinstance(part, Table)]
    return table, any(isinstance(part, Figure) for part in section.parts)


def test_classes_of_all_protocols_and_systems_stand_in_one_table(tmp_path: Path) -> None:
    rows = [
        row("shallow", "mine", "mAP", {"bark": 0.2, "rain": 0.9}),
        row("shallow", "log-mel statistics", "mAP", {"bark": 0.1, "rain": 0.3, "wind": 0.25}),
        row("knn", "mine", "accuracy", {"bark": 1.0, "wind": 0.0}),
    ]
    evaluation = Evaluation("mine", "somewhere", ["a task"], rows)
    table, bars = classes_of(evaluation)
    assert list(table.columns) == [
        "class",
        "shallow, mine: average precision",
        "shallow, log-mel statistics: average precision",
        "knn, mine: accuracy",
    ]
    assert [list(line) for line in table.rows] == [
        ["bark", 0.2, 0.1, 1.0],
        ["rain", 0.9, 0.3, ""],
        ["wind", "", 0.25, 0.0],
    ]
    assert bars
    page = write_evaluation(tmp_path / "report.html", evaluation)[0].read_text()
    assert "<td>wind</td>" in page and "0.250" in page


@pytest.mark.parametrize(("classes", "bars"), [(100, True), (527, False)])
def test_a_table_holds_what_bars_cannot(classes: int, bars: bool) -> None:
    values = {f"c{i}": i / classes for i in range(classes)}
    table, drawn = classes_of(Evaluation("mine", "", [], [row("shallow", "mine", "mAP", values)]))
    assert len(table.rows) == classes and table.rows[0][0] == "c0"
    assert drawn == bars


def test_one_class_needs_no_table() -> None:
    sections = evaluation_sections(Evaluation("mine", "", [], [row("qbe", "mine", "mAP", {"bark": 0.2})]))
    assert [section.title for section in sections] == ["Results"]


def test_trainings_with_other_options_have_bars_of_their_own() -> None:
    kinds = [("finetune", {"style": "acl", "lr": 0.01}), ("scratch", {"style": "acl"}), ("finetune", {"style": "cola"})]
    rows = [replace(row(name, "mine", "accuracy", {"bark": 0.2}), options=options) for name, options in kinds]
    assert [_bar(one).group for one in rows] == [
        "finetune or scratch:style=acl",
        "finetune or scratch:style=acl",
        "finetune or scratch:style=cola",
    ]


def test_f1_and_weighted_precision_stand_in_the_report() -> None:
    one = row("linear", "mine", "accuracy", {"bark": 0.2, "rain": 0.9})
    one = replace(one, metrics={"accuracy": 0.55, "macro_f1": 0.5, "weighted_precision": 0.625})
    _, figures, _ = evaluation_sections(Evaluation("mine", "", [], [one]))
    (table,) = figures.parts
    assert figures.title == "All figures" and isinstance(table, Table)
    assert [list(line) for line in table.rows] == [["linear", "mine", "0.550", "0.500", "0.625"]]
    assert list(table.columns[-2:]) == ["macro F1", "weighted precision"]
