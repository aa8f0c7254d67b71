"""F1 bars and confusion matrices of an evaluation's rows, on the page and as files."""

import base64
from pathlib import Path

import numpy as np
import pytest

from soundviews.evaluation.result import Evaluation, Row
from soundviews.report.classes import class_figures, write_figures
from soundviews.report.evaluation import evaluation_sections, write_evaluation
from soundviews.report.html import Figure

CLASSES = ["Dog", "Cat", "Blender"]


def row(
    protocol: str = "linear", system: str = "mine", classes: int = 3, confusion: list[list[int]] | None = None
) -> Row:
    names = CLASSES if classes == 3 else [f"c{i}" for i in range(classes)]
    f1 = {name: 0.1 * place for place, name in enumerate(names)} if classes else {}
    fixed = (None, None, "", {"accuracy": 0.5}, {name: 0.5 for name in names}, {}, [], 1.0)
    return Row(system, protocol, {}, "accuracy", 0.5, *fixed, f1=f1, confusion=confusion)


def bars(figure: Figure) -> list[str]:
    return [container.get_label() for container in figure.drawing.axes[0].containers]


def test_rows_stand_side_by_side_while_there_are_colours() -> None:
    figures = class_figures([row(), row("finetune"), row(system="noise: 0.5/x"), row("qbe", classes=0)], CLASSES)
    assert list(figures) == ["f1"]
    assert bars(figures["f1"]) == ["mine, linear", "mine, finetune", "noise: 0.5/x, linear"]


def test_many_rows_are_drawn_by_protocol() -> None:
    rows = [row(protocol, f"s{i}") for protocol in ("linear", "finetune") for i in range(7)]
    figures = class_figures(rows, CLASSES)
    assert list(figures) == ["f1-linear", "f1-linear-from-system-7", "f1-finetune", "f1-finetune-from-system-7"]
    assert bars(figures["f1-finetune"]) == [f"s{i}" for i in range(6)]
    assert bars(figures["f1-linear-from-system-7"]) == ["s6"]


def test_each_row_has_its_confusions_in_a_file_of_its_own(tmp_path: Path) -> None:
    counts = [[8, 2, 0], [1, 3, 0], [0, 0, 5]]
    figures = class_figures([row(confusion=counts, system="a/b"), row(confusion=counts, system="a b")], CLASSES)
    assert list(figures) == ["f1", "confusion-a-b-linear", "confusion-a-b-linear~2"]
    image = figures["confusion-a-b-linear"].drawing.axes[0].images[0]
    np.testing.assert_allclose(image.get_array(), [[0.8, 0.2, 0], [0.25, 0.75, 0], [0, 0, 1]])
    paths = write_figures(tmp_path, figures)
    assert sorted(tmp_path.iterdir()) == sorted(paths) and {path.suffix for path in paths} == {".svg"}
    assert all(path.read_text().startswith("<?xml") for path in paths)


@pytest.mark.parametrize("classes", [0, 1, 101])
def test_nothing_is_drawn_of_one_class_or_of_too_many(classes: int) -> None:
    assert class_figures([row(classes=classes)], CLASSES) == {}


def test_the_page_shows_what_the_files_hold(tmp_path: Path) -> None:
    evaluation = Evaluation("mine", "DESED", [], [row(confusion=np.eye(3, dtype=int).tolist())], classes=CLASSES)
    page, *drawings = write_evaluation(tmp_path / "report.html", evaluation)
    assert [path.name for path in drawings] == ["f1.svg", "confusion-mine-linear.svg"]
    for path in drawings:
        assert base64.b64encode(path.read_bytes()).decode() in page.read_text()
    assert [section.title for section in evaluation_sections(evaluation)] == ["Results", "Classes"]
