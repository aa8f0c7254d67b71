"""The headline claims no more than the tables: level where no difference is shown, and which baseline is not beaten."""

import pytest

from soundviews.evaluation.compare import Comparison, Difference
from soundviews.evaluation.result import Evaluation, JudgedClip, Row
from soundviews.evaluation.systems import System
from soundviews.report.headline import headline

CLIPS = [JudgedClip(f"{name}.wav", 0.0, None, ("dog",)) for name in "abcd"]


def row(
    system: str, value: float, protocol: str = "linear", low: float | None = None, high: float | None = None
) -> Row:
    return Row(system, protocol, {}, "accuracy", value, low, high, "", {}, {}, {}, [], 1.0)


def compared(p: float, best: str = "vgg") -> Comparison:
    rows = [row("vgg", 0.42), row("noise", 0.40)] if best == "vgg" else [row("noise", 0.40), row("vgg", 0.42)]
    first, second = rows[0].system, rows[1].system
    less = Difference("linear", second, first, 0.02, 0.0, 0.04, p, p, "400 test clips")
    systems = [System(first, (first,)), System(second, (second,))]
    return Comparison("", "esc50", [], rows, clips=CLIPS, systems=systems, differences=[less])


@pytest.mark.parametrize("best", ["vgg", "noise"])
def test_two_systems_are_level_where_the_test_does_not_decide(best: str) -> None:
    said = "By linear (mean per-class accuracy, 4 test clips): vgg 0.420, "
    assert headline(compared(0.31, best)) == said + "level with noise 0.400 (no difference shown, p = 0.31)."
    assert headline(compared(0.002, best)) == said + "ahead of noise 0.400 (p = 0.002)."


def test_the_baseline_that_a_system_does_not_beat_is_named() -> None:
    rows = [
        row("best", 0.9, low=0.8, high=1),
        row("weak", 0.3, low=0.2, high=0.5),
        row("stats", 0.4, low=0.3, high=0.5),
    ]
    systems = [System("best", ("a",)), System("weak", ("b",)), System("stats", ("log-mel statistics",))]
    said = headline(Comparison("", "", [], rows, systems=systems))
    assert "best 0.900, ahead of stats 0.400 (intervals apart) and weak 0.300 (intervals apart)." in said
    assert said.endswith("Not shown to beat stats: weak 0.300 (no difference shown).")


def test_an_encoder_stands_against_its_baselines() -> None:
    rows = [
        row("mine", 0.5, low=0.4, high=0.6),
        row("log-mel statistics", 0.3, low=0.2, high=0.35),
        row("random encoder", 0.45, low=0.4, high=0.5),
        row("mine", 0.5, "knn", low=0.4, high=0.6),
        row("log-mel statistics", 0.9, "knn", low=0.8, high=1.0),
    ]
    evaluation = Evaluation("mine", "", [], rows, clips=CLIPS, unreadable={"a.wav": "empty"})
    assert headline(evaluation).splitlines() == [
        "By linear (mean per-class accuracy, 3 test clips): mine 0.500, ahead of log-mel statistics 0.300 (intervals "
        "apart); level with random encoder 0.450 (no difference shown).",
        "By knn (mean per-class accuracy, 3 test clips): mine 0.500, behind log-mel statistics 0.900 (intervals "
        "apart).",
    ]


def test_fine_tuning_stands_against_training_from_scratch() -> None:
    rows = [row("mine", 0.5, "finetune", low=0.4, high=0.6), row("from scratch", 0.1, "scratch", low=0, high=0.2)]
    said = headline(Evaluation("mine", "", [], rows))
    assert said == "By finetune (mean per-class accuracy): mine 0.500, ahead of from scratch 0.100 (intervals apart)."


def test_a_lonely_encoder_is_said_to_be_so() -> None:
    assert headline(Evaluation("mine", "", [], [row("mine", 0.5)])).endswith("No baseline was judged beside it.")
