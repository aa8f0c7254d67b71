"""The study of CNN14 without batch norm, at a sixteenth of its width and for two steps."""

from pathlib import Path

import pytest

from studies import _page, cnn14_scales


def test_a_small_network_gives_the_whole_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cnn14_scales.ENCODER, "width", 1 / 16)
    page = tmp_path / "page.md"
    given = ["--steps", "2", "--batch", "2", "--clips", "4", "--precision", "float32", "--out", str(page)]
    cnn14_scales.main(given)
    lines = page.read_text().splitlines()
    layers = [line for line in lines if line.startswith(("| block", "| embedding"))]
    assert len(layers) == len(cnn14_scales.NAMES) == 13
    scales = [[float(cell) for cell in line.strip("| ").split(" | ")[1:]] for line in layers]
    assert all(0 < scale < 1e6 for row in scales for scale in row)
    assert any(he != trained for he, trained, *_ in scales)  # it trained
    assert _page.notes(_page.RESULTS / "cnn14_scales.md")[0] in page.read_text()
