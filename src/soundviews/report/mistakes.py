"""The clips that a classification gets wrong, to be listened to: some of each of its worst classes."""

from collections.abc import Sequence
from pathlib import Path

from soundviews.evaluation.result import Evaluation, JudgedClip, Row
from soundviews.report.html import Section, Sound, Sounds, Text

WORST = 8  # classes
EACH = 3  # clips of a class

Taken = tuple[JudgedClip, str]
"""A clip and the class that it was taken for."""


def mistakes_section(evaluation: Evaluation, rows: Sequence[Row]) -> Section | None:
    """Mistaken clips of the worst classes of the first of these rows that classifies; None where there are none.

    A clip is mistaken if it does not have the class that it was taken for, with several labels the likeliest.
    """
    row = next((row for row in rows if row.predicted), None)
    if row is None:
        return None
    pairs = zip(evaluation.clips, row.predicted, strict=True)
    taken: list[Taken] = [(clip, name) for clip, name in pairs if name is not None]
    wrong: dict[str, list[Taken]] = {}
    for clip, name in taken:
        if name not in clip.labels:
            for label in clip.labels:
                wrong.setdefault(label, []).append((clip, name))
    mistaken = (name for name in evaluation.classes if name in wrong)
    worst = sorted(mistaken, key=lambda name: row.per_class.get(name, 0.0))[:WORST]
    if not worst:
        return None
    parts: list[Text | Sounds] = [Text(f"Up to {EACH} of each of the worst classes of {row.system}, {row.label}.")]
    for name in worst:
        clips = sum(name in clip.labels for clip, _ in taken)
        parts += [Text(f"{name}: {len(wrong[name])} of {clips} test clips mistaken"), _sounds(wrong[name][:EACH])]
    return Section("Mistaken clips", parts)


def _sounds(wrong: Sequence[Taken]) -> Sounds:
    return Sounds([Sound(Path(clip.path), clip.start, clip.end, _said(clip, name)) for clip, name in wrong])


def _said(clip: JudgedClip, taken: str) -> str:
    """The recording's name, the clip's seconds where it is a part of it, and what it was taken for."""
    seconds = f", from {clip.start:g} s" if clip.start else ""
    seconds += "" if clip.end is None else f"{' ' if clip.start else ', '}to {clip.end:g} s"
    return f"{Path(clip.path).name}{seconds}: taken for {taken}"
