"""The report is one well-formed file that asks nothing of the network."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from soundviews.report import figures
from soundviews.report.html import Code, Figure, Section, Table, Text, write_report

VOID = {"meta", "img"}


class Reader(HTMLParser):
    """Checks that tags close in order, and gathers texts and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def page(tmp_path: Path) -> str:
    curves = {"loss": [(0, 2.0), (10, 1.0)]}
    sections = [
        Section("How it was trained", [Text("A < B & C"), Figure(figures.training_curves(curves), "The loss.")]),
        Section("Results", [Table(["encoder", "clips", "mAP"], [["cola", 1200, 0.31234], ["log-mel", 1200, 0.11]])]),
        Section("Again", [Code("soundviews embed bundle 'my recordings' --out a.parquet")]),
    ]
    return write_report(
        tmp_path / "deep" / "report.html", "ESC-50 & more", sections, "It works.", [("mAP", "0.31")], "v0.1"
    ).read_text()


def test_is_well_formed_and_self_contained(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert all(address.startswith(("data:", "#")) for address in reader.addresses)
    assert not re.search(r"url\(|@import|<script|<link", page)
    assert "A < B & C" in reader.texts


def test_numbers_are_written_alike_and_set_to_the_right(page: str) -> None:
    assert '<td class="number">0.312</td>' in page
    assert '<td class="number">1,200</td>' in page
    assert "<td>cola</td>" in page


def test_figures_are_svg_and_reproducible(page: str, tmp_path: Path) -> None:
    encoded = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert encoded is not None
    assert b"<svg" in base64.b64decode(encoded[1])
    curves = {"loss": [(0, 2.0), (10, 1.0)]}
    twice = [
        write_report(tmp_path / name, "t", [Section("s", [Figure(figures.training_curves(curves))])]).read_bytes()
        for name in ("a.html", "b.html")
    ]
    assert twice[0] == twice[1]
