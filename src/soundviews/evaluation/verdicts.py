"""Is one row better than another? What the paired test, or else the intervals, can tell."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from soundviews.evaluation.paired import compare_scores, holm
from soundviews.evaluation.result import Row

LEVEL = 0.05  # p below it decides


class Verdict(NamedTuple):
    """A row against another one, judged by the same protocol on the same test clips.

    against: The other row.
    difference: The row's value less the other's.
    decided: Whether the difference is shown.
    p: Of the paired test, two-sided and corrected; None where the scores are not at hand.
    """

    against: Row
    difference: float
    decided: bool
    p: float | None


def verdicts(row: Row, others: Sequence[Row], p_known: Mapping[str, float] | None = None) -> list[Verdict]:
    """The row against each of the others, in their order.

    Where both were pretrained several times, their intervals must not overlap either, since the test knows nothing of
    other pretrainings.

    Args:
        p_known: p-values that have been told already, by the other row's system. The remaining ones are corrected
            (Holm) for their number.
    """
    p = dict(p_known or {})
    tests = {other.system: compare_scores(other.scores, row.scores) for other in others if _testable(row, other, p)}
    found = {system: test.p for system, test in tests.items() if test is not None}
    p |= dict(zip(found, holm(list(found.values())), strict=True))
    return [_verdict(row, other, p.get(other.system)) for other in others]


def _testable(row: Row, other: Row, p: Mapping[str, float]) -> bool:
    return other.system not in p and bool(row.scores) and bool(other.scores)


def _verdict(row: Row, other: Row, p: float | None) -> Verdict:
    repeated = all(len({run.get("run") for run in one.runs}) > 1 for one in (row, other))
    by_test = p is None or p < LEVEL
    by_intervals = _apart(row, other) if p is None or repeated else True
    return Verdict(other, row.value - other.value, by_test and by_intervals, p)


def _apart(row: Row, other: Row) -> bool:
    """Whether both intervals are known and have no value in common."""
    if row.low is None or row.high is None or other.low is None or other.high is None:
        return False
    return row.low > other.high or other.low > row.high
