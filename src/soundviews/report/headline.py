"""The result in a sentence or two, no bolder than its tables: who is ahead, who is level, by which test."""

from collections.abc import Iterator, Sequence

from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.compare import Comparison
from soundviews.evaluation.requests import request_label
from soundviews.evaluation.result import Evaluation, Row
from soundviews.evaluation.runner import WHOLE_NETWORK
from soundviews.evaluation.verdicts import LEVEL, Verdict, verdicts
from soundviews.report.words import measure_name

RANDOM_ENCODER = "random encoder"
BASELINES = (LogMelStatistics.name, RANDOM_ENCODER, "from scratch")


def headline(evaluation: Evaluation) -> str:
    """A line for each protocol. Invariance has one only where nothing else was judged, since more is not better."""
    if isinstance(evaluation, Comparison):
        return "\n".join(_comparison_lines(evaluation))
    return "\n".join(_evaluation_lines(evaluation))


def group_label(row: Row) -> str:
    """What rows are compared under: the protocol; training from scratch stands beside fine-tuning with its options."""
    if row.protocol in WHOLE_NETWORK:
        return request_label(" or ".join(WHOLE_NETWORK), {k: v for k, v in row.options.items() if k != "lr"})
    return row.label


def clips_judged(evaluation: Evaluation) -> int:
    """How many test clips could be read; 0 where that is not known."""
    return sum(clip.path not in evaluation.unreadable for clip in evaluation.clips)


def standing(found: Sequence[Verdict]) -> str:
    """What a row is ahead of, level with and behind, as the end of a sentence; empty for no verdicts."""
    kinds = {
        "ahead of": [_named(one) for one in found if one.decided and one.difference > 0],
        "level with": [_named(one) for one in found if not one.decided],
        "behind": [_named(one) for one in found if one.decided and one.difference <= 0],
    }
    return "; ".join(f"{words} {' and '.join(names)}" for words, names in kinds.items() if names)


def _comparison_lines(comparison: Comparison) -> Iterator[str]:
    """The best of each protocol against the others, and who is not shown to beat the log-mel statistics."""
    baselines = {one.name for one in comparison.systems if one.runs == (LogMelStatistics.name,)}
    for rows in _by_protocol(comparison.rows):
        best, *others = sorted(rows, key=lambda row: -row.value)
        line = _line(comparison, best, verdicts(best, others, _known(comparison, best, rows)))
        for baseline in [row for row in others if row.system in baselines]:
            encoders = [row for row in others if row.system not in baselines]
            known = _known(comparison, baseline, rows)
            failing = [one for one in verdicts(baseline, encoders, known) if one.difference > 0 or not one.decided]
            if failing:
                line += f" Not shown to beat {baseline.system}: {' and '.join(map(_named, failing))}."
        yield line


def _evaluation_lines(evaluation: Evaluation) -> Iterator[str]:
    """The encoder under each protocol against its baselines."""
    for rows in _by_protocol(evaluation.rows):
        first = next((row for row in rows if row.system == evaluation.model), rows[0])
        baselines = [row for row in rows if row is not first and row.system in BASELINES]
        line = _line(evaluation, first, verdicts(first, baselines))
        alone = not baselines and first.system not in BASELINES and first.protocol != "invariance"
        yield f"{line} No baseline was judged beside it." if alone else line


def _by_protocol(rows: Sequence[Row]) -> list[list[Row]]:
    judging = [row for row in rows if row.protocol != "invariance"] or rows
    return [[row for row in judging if group_label(row) == label] for label in dict.fromkeys(map(group_label, judging))]


def _known(comparison: Comparison, row: Row, rows: Sequence[Row]) -> dict[str, float]:
    """The table's corrected p-values of the row's differences, by the other system: it has those from the first."""
    first = comparison.systems[0].name if comparison.systems else ""
    if row.system == first:
        less = {other.system: comparison.difference(other) for other in rows}
    else:
        less = {first: comparison.difference(row)}
    return {system: one.p_holm for system, one in less.items() if one is not None}


def _line(evaluation: Evaluation, row: Row, found: Sequence[Verdict]) -> str:
    clips = clips_judged(evaluation)
    on = f", {clips:,} test clips" if clips else ""
    stands = standing(found)
    return f"By {row.label} ({measure_name(row.measure)}{on}): {row.system} {row.value:.3f}" + (
        f", {stands}." if stands else "."
    )


def _named(verdict: Verdict) -> str:
    """The other row with its value, and by what it is told apart or not."""
    if verdict.p is None:
        ground = "intervals apart" if verdict.decided else "no difference shown"
    elif verdict.decided:
        ground = f"p = {verdict.p:.2g}"
    elif verdict.p < LEVEL:
        ground = "no difference shown: the intervals over pretrainings overlap"
    else:
        ground = f"no difference shown, p = {verdict.p:.2g}"
    return f"{verdict.against.system} {verdict.against.value:.3f} ({ground})"
