"""The figure shows the similarities it is given, and the section the means over runs."""

from dataclasses import replace

import numpy as np
import pytest

from soundviews.evaluation.result import Row
from soundviews.evaluation.score import Score
from soundviews.report import invariance as report
from soundviews.report.html import Figure, Table


def figures(own: float, unrelated: float) -> dict[str, float]:
    return {
        "invariance": 1 - (1 - own) / (1 - unrelated),
        "found_again": 0.5,
        "own": own,
        "unrelated": unrelated,
    }


def row(system: str, runs: list[dict[str, dict[str, float]]]) -> Row:
    scores = [[Score({"invariance": 0.5}, {}, {"transformations": run})] for run in runs]
    return Row(system, "invariance", {}, "invariance", 0.5, None, None, "", {}, {}, {}, [], 1.0, scores=scores)


def test_the_figure_shows_own_unrelated_and_invariance() -> None:
    systems = {
        "with": {"room": figures(0.9, 0.5), "masks": figures(0.8, 0.5)},
        "without": {"room": figures(0.3, 0.6)},
    }
    left, right = report.invariance_figure(systems).axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["room", "masks"]
    dots = {line.get_label(): line.get_xdata() for line in left.lines if line.get_marker() == "o"}
    np.testing.assert_allclose(dots["with"], [0.9, 0.8])
    np.testing.assert_allclose(dots["without"], [0.3, np.nan])
    bars = [line.get_xdata() for line in left.lines if line.get_marker() == "|"]
    np.testing.assert_allclose(np.concatenate(bars), [0.5, 0.5, 0.6, np.nan])
    assert [patch.get_width() for patch in right.patches] == pytest.approx([0.8, 0.6, 0, 0])
    assert [text.get_text() for text in right.texts] == ["80", "60", "-75", "–"]


def test_the_section_has_means_over_runs_of_invariance_only() -> None:
    two_runs = row("acl", [{"room": figures(0.9, 0.5)}, {"room": figures(0.7, 0.5), "masks": figures(0.6, 0.5)}])
    section = report.invariance_section([replace(two_runs, protocol="linear"), two_runs])
    assert section is not None
    drawing, table = section.parts
    assert isinstance(drawing, Figure)
    assert isinstance(table, Table)
    assert table.rows == [
        ["room", "acl", "0.600", "0.500", "0.800", "0.500"],
        ["masks", "acl", "0.200", "0.500", "0.600", "0.500"],
    ]
    assert report.invariance_section([replace(two_runs, protocol="linear")]) is None
