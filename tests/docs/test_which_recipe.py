"""Which recipe?: every figure of its tables stands on a page that is linked in the same row."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "which-recipe.md"
ROWS = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "](results/" in line]


def test_rows_are_found() -> None:
    assert len(ROWS) > 10


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[:40])
def test_figures_stand_on_the_linked_pages(row: str) -> None:
    sources = [(PAGE.parent / link).read_text(encoding="utf-8") for link in re.findall(r"\]\((results/\w+\.md)\)", row)]
    figures = re.findall(r"\b0\.\d+", row)
    assert figures and all(any(figure in source for source in sources) for figure in figures)
