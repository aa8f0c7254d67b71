"""The demonstration's first sentence says whether learning helped, as far as that is shown."""

import pytest

from soundviews.evaluation.result import Evaluation, Row
from soundviews.face.demo_page import first_sentence


def row(system: str, value: float) -> Row:
    return Row(system, "qbe", {}, "mAP", value, value - 0.05, value + 0.05, "", {}, {}, {}, [], 1.0)


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (0.6, "Learning helped: by qbe (mAP): mine 0.600, ahead of random encoder 0.400 (intervals apart)."),
        (0.42, "Learning is not shown to have helped: by qbe (mAP): mine 0.420, level with random encoder 0.400 "),
        (0.2, "Learning made it worse: by qbe (mAP): mine 0.200, behind random encoder 0.400 (intervals apart)."),
    ],
)
def test_whether_learning_helped(value: float, answer: str) -> None:
    result = Evaluation("mine", "scenes", [], [row("mine", value), row("random encoder", 0.4)])
    assert first_sentence(result).startswith(answer)
