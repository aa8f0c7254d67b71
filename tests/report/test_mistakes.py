"""The mistaken clips of the worst classes, with players for the files that are there."""

from pathlib import Path

from soundviews.evaluation.result import Evaluation, JudgedClip, Row
from soundviews.report.html import Sounds, Text, write_report
from soundviews.report.mistakes import EACH, mistakes_section


def evaluation(folder: Path) -> Evaluation:
    """Five dogs of which four are mistaken, two cats of which one is, a cow that is right, and an unreadable cow."""
    names = ["dog"] * 5 + ["cat"] * 2 + ["cow"] * 2
    taken = ["cat", "cow", "cat", "cat", "dog", "cat", "dog", "cow", None]
    clips = [JudgedClip(str(folder / f"{name}#{i} <1>.wav"), 0.0, None, (name,)) for i, name in enumerate(names)]
    clips[0] = JudgedClip(clips[0].path, 1.5, 2.0, ("dog",))
    per_class = {"cat": 0.5, "cow": 1.0, "dog": 0.2}
    fixed = (None, None, "", {"accuracy": 0.5}, per_class, {}, [], 1.0)
    rows = [Row("mine", name, {}, "accuracy", 0.5, *fixed) for name in ("qbe", "linear")]
    rows[1].predicted.extend(taken)
    return Evaluation("mine", "here", [], rows, clips=clips, classes=["cat", "cow", "dog"])


def test_the_worst_classes_come_first_with_some_of_their_mistakes(tmp_path: Path) -> None:
    judged = evaluation(tmp_path)
    section = mistakes_section(judged, judged.rows)
    assert section is not None
    _, *parts = section.parts
    texts = [part.text for part in parts if isinstance(part, Text)]
    assert texts == ["dog: 4 of 5 test clips mistaken", "cat: 1 of 2 test clips mistaken"]
    dogs, cats = (part.sounds for part in parts if isinstance(part, Sounds))
    assert len(dogs) == EACH and [sound.text for sound in cats] == ["cat#6 <1>.wav: taken for dog"]
    assert dogs[0].text == "dog#0 <1>.wav, from 1.5 s to 2 s: taken for cat"
    assert mistakes_section(judged, judged.rows[:1]) is None


def test_several_labels_are_mistaken_where_the_likeliest_is_none_of_them(tmp_path: Path) -> None:
    judged = evaluation(tmp_path)
    judged.clips[:3] = [JudgedClip(clip.path, 0.0, None, ("dog", "cat")) for clip in judged.clips[:3]]
    section = mistakes_section(judged, judged.rows)
    assert section is not None
    assert Text("dog: 2 of 5 test clips mistaken") in section.parts


def test_only_files_that_are_there_have_a_player_and_none_is_embedded(tmp_path: Path) -> None:
    judged = evaluation(tmp_path / "audio")
    (tmp_path / "audio").mkdir()
    for clip in judged.clips[:2]:
        Path(clip.path).write_bytes(b"RIFF")
    section = mistakes_section(judged, judged.rows)
    assert section is not None
    page = write_report(tmp_path / "reports" / "report.html", "t", [section]).read_text()
    assert page.count("<audio") == 2
    first = '<audio controls preload="none" src="../audio/dog%230%20%3C1%3E.wav#t=1.5,2"></audio>'
    assert first in page and "../audio/dog%231%20%3C1%3E.wav" in page
    assert "dog#2 &lt;1&gt;.wav: taken for cat" in page
