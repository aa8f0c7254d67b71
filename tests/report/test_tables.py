"""All figures of all rows, with intervals over the runs."""

import numpy as np
import pytest

from soundviews.evaluation.intervals import student_t
from soundviews.evaluation.result import Row
from soundviews.report.tables import figures_tables


def row(system: str, f1: list[float]) -> Row:
    """A row of as many pretrainings as it has values of F1."""
    runs = [
        {"run": str(place), "seed": 0, "task": "t", "accuracy": 0.5, "macro_f1": one} for place, one in enumerate(f1)
    ]
    metrics = {"accuracy": 0.5, "macro_f1": float(np.mean(f1))}
    return Row(system, "linear", {"style": "acl"}, "accuracy", 0.5, None, None, "", metrics, {}, {}, runs, 1.0)


def test_every_figure_has_its_mean_and_interval():
    values = [0.41, 0.43, 0.48]
    (table,) = figures_tables([row("noise", values), row("logmel", [0.2])])
    low, high, _ = student_t(values, "")
    assert table.columns == ["protocol", "system", "mean per-class accuracy", "macro F1"]
    assert table.rows == [
        ["linear:style=acl", "noise", "0.500 (0.500 to 0.500)", f"0.440 ({low:.3f} to {high:.3f})"],
        ["linear:style=acl", "logmel", "0.500", "0.200"],
    ]
    assert table.caption == "In brackets 95 % intervals: Student t over 3 runs"
    (plain,) = figures_tables([row("noise", values)], intervals=False)
    assert plain.rows[0][2:] == ["0.500", "0.440"] and not plain.caption


@pytest.mark.parametrize("metrics", [{"mAP": 0.3}, {}])
def test_a_single_figure_is_in_the_results_already(metrics):
    assert figures_tables([Row("a", "qbe", {}, "mAP", 0.3, None, None, "", metrics, {}, {}, [], 1.0)]) == []
