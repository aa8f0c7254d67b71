"""Results as tables of text, whatever characters the names have."""

import pytest

from soundviews.evaluation.compare import Comparison, Difference
from soundviews.evaluation.result import Evaluation, Failure, Row
from soundviews.evaluation.systems import System
from soundviews.report.results import ShownComparison, ShownEvaluation
from soundviews.report.tables import about_tests, result_table
from soundviews.report.terminal import as_text, drawn


def row(system: str, value: float) -> Row:
    metrics = {"mAP": value, "macro_f1": value / 2}
    return Row(system, "qbe", {}, "mAP", value, value - 0.1, value + 0.1, "classes", metrics, {}, {}, [], 2.0)


ROWS = [row("[red]mine", 0.5), row("theirs", 0.75)]


def test_an_evaluation_has_a_line_for_each_row() -> None:
    evaluation = Evaluation("mine", "here", ["test: fold 3"], ROWS)
    assert result_table(evaluation).rows[1] == ["qbe", "theirs", "mAP", "0.750", "0.650 to 0.850", "classes", "2.0"]
    text = as_text(drawn(evaluation))
    assert "[red]mine" in text and "0.650 to 0.850" in text and "macro F1" in text and "0.375" in text


def test_a_comparison_has_a_table_for_each_protocol_and_says_what_its_tests_are() -> None:
    less = Difference("qbe", "theirs", "[red]mine", 0.25, 0.125, 0.375, 0.01, 0.02, "8 classes")
    systems = [System("[red]mine", ("a",)), System("theirs", ("b",))]
    comparison = Comparison("mine, theirs", "here", ["test: fold 3"], ROWS, systems=systems, differences=[less])
    text = as_text(drawn(comparison))
    assert "qbe: mAP" in text and "minus [red]mine" in text and "+0.125 to +0.375 0.0200" in text
    assert "paired over 8 classes (qbe)" in " ".join(text.split())
    assert about_tests(Comparison("a", "b", [], systems=systems)) == ""


def test_text_is_not_displayed_in_a_notebook(monkeypatch) -> None:
    """rich would display an empty box beside the table that the notebook itself displays."""
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("rich.jupyter.display", lambda *args: pytest.fail("displayed"))
    assert "theirs" in as_text(drawn(Evaluation("mine", "here", ["test: fold 3"], ROWS)))


def test_shown_results_are_the_same_figures_and_say_what_failed(tmp_path) -> None:
    evaluation = Evaluation("mine", "here", [], ROWS, ["<a note>"], failures=[Failure("mine", "", "knn", "no labels")])
    shown = ShownEvaluation(**vars(evaluation))
    assert "note: <a note>" in repr(shown) and "failed: mine, knn: no labels" in repr(shown)
    assert "note: &lt;a note&gt;" in shown._repr_html_()
    for name, result in (("a", evaluation), ("b", shown)):
        result.save(tmp_path / name)
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()
    comparison = ShownComparison("mine", "here", [], ROWS, systems=[System("[red]mine", ("a",))])
    assert repr(comparison).startswith("mine on here") and "<td>theirs</td>" in comparison._repr_html_()
