"""The page of benchmarks keeps one section for each."""

import os
from pathlib import Path

import pytest

from benchmarks import _report
from benchmarks._report import Section, record


def test_a_section_is_replaced_in_place(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "benchmarks.md"
    record(Section("First", [{"seconds": 1.23456, "of": "a|b"}], "How."), page)
    record(Section("Second", [{"seconds": 2}]), page)
    record(Section("First", [{"seconds": 3.0}], "Again."), page)
    text = page.read_text()
    assert text.count("## First") == text.count("## Second") == 1
    assert text.index("## First") < text.index("## Second")
    assert "1.235" not in text and "How." not in text and "| 3 |" in text and "cores" in text


def test_cells_do_not_break_the_table(tmp_path: Path) -> None:
    record(Section("Any", [{"of": "a|b", "x": 0.123456}]), tmp_path / "page.md")
    assert "| a\\|b | 0.1235 |" in (tmp_path / "page.md").read_text()


def test_a_miniature_is_printed_and_not_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(_report, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr("sys.argv", ["benchmark", "--miniature"])
    _report.run(lambda miniature: Section("Any", [{"miniature": str(miniature)}]))
    assert "| True |" in capsys.readouterr().out and not (tmp_path / "page.md").exists()


def test_what_a_benchmark_keeps_goes_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SOUNDVIEWS_CACHE")
    with _report.empty_cache(str(tmp_path)):
        assert os.environ["SOUNDVIEWS_CACHE"] == str(tmp_path / "cache")
    assert "SOUNDVIEWS_CACHE" not in os.environ
