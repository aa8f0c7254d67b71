"""The tutorials run, say the figures that their cells printed, and lead somewhere."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tools.notebooks import code_cells, printed, read_notebook, read_page, source_of
from tools.tutorials import TUTORIALS, run

ROOT = Path(__file__).resolve().parents[2]
EVERY = pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)


def test_tutorials_are_found() -> None:
    assert {"first-encoder", "own-parts", "scikit-learn", "separation"} == {path.stem for path in TUTORIALS}


@EVERY
def test_every_cell_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = read_notebook(path)
    monkeypatch.chdir(tmp_path)
    kinds = [{output["output_type"] for output in outputs} for outputs in run(notebook, path.name)]
    kept = [{output["output_type"] for output in cell["outputs"]} for cell in code_cells(notebook)]
    shown = {"display_data", "execute_result"}  # what is logged depends on who listens
    assert [kind & shown for kind in kinds] == [kind & shown for kind in kept]


@EVERY
def test_cells_assert_something(path: Path) -> None:
    assert any(re.search(r"^assert ", source_of(cell), re.MULTILINE) for cell in code_cells(read_notebook(path)))


@EVERY
def test_outputs_are_there_in_order_and_name_no_folder_of_a_machine(path: Path) -> None:
    cells = code_cells(read_notebook(path))
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1)), "run `make tutorials`"
    text = "\n".join(map(printed, cells))
    assert not re.findall(r"(?:^|[\s'\"(])(?:/\w+/\S+|[A-Z]:\\\S+)", text) and "Traceback" not in text


@EVERY
def test_figures_of_the_text_stand_in_the_outputs_or_the_code(path: Path) -> None:
    notebook = read_notebook(path)
    shown = "\n".join(f"{source_of(cell)}\n{printed(cell)}" for cell in code_cells(notebook))
    prose = "\n".join(source_of(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    text = re.sub(r"`[^`]*`|\]\([^)]*\)", "", prose)
    missing = [figure for figure in re.findall(r"-?\d+\.\d+|\d+ of \d+", text) if not re.search(figure, shown)]
    assert not missing


def test_each_leads_to_the_next_and_to_the_reference() -> None:
    pages = {path.name: read_page(path) for path in TUTORIALS}
    assert all("(../reference/python.md)" in page for page in pages.values())
    assert all(f"({after})" in pages[before] for before, after in pairwise(pages))


def test_the_site_shows_all() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert all(f": tutorials/{path.stem}.md" in nav for path in TUTORIALS)
