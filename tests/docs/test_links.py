"""Every relative link of the pages leads somewhere, anchors included, and the index lists every page."""

import re
from pathlib import Path

import pytest

from tools.notebooks import read_page
from tools.tutorials import TUTORIALS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted([*DOCS.rglob("*.md"), *TUTORIALS]),
]
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The headings as GitHub names them: small letters, hyphens for spaces, no other punctuation."""
    text = re.sub(r"^```.*?^```$", "", read_page(page), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    found = re.findall(r"\]\(([^()\s]+)\)", CODE.sub("", read_page(page)))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_links_and_anchors_are_found() -> None:
    assert "#audioset" in links(DOCS / "datasets.md") and "audioset" in anchors(DOCS / "datasets.md")
    assert len(links(ROOT / "README.md")) > 10


def test_the_index_lists_every_page() -> None:
    listed = {(DOCS / link).resolve() for link in links(DOCS / "README.md")}
    pages = {page for page in PAGES if DOCS in page.parents and not page.stem.endswith("_notes")}
    assert pages - {DOCS / "README.md"} == listed


def test_results_hold_what_was_written_by_hand_about_them() -> None:
    for notes in (DOCS / "results").glob("*_notes.md"):
        assert notes.read_text().rstrip() in notes.with_name(notes.name.replace("_notes", "")).read_text(), notes.name
