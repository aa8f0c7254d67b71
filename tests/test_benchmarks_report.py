"""The page of benchmarks keeps one section for each."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture
def record():
    path = Path(__file__).resolve().parent.parent / "benchmarks" / "_report.py"
    spec = importlib.util.spec_from_file_location("_report", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.record


def test_a_section_is_replaced_in_place(record, tmp_path):
    page = tmp_path / "docs" / "benchmarks.md"
    record("First", [{"seconds": 1.23456, "of": "a|b"}], "How.", page)
    record("Second", [{"seconds": 2}], page=page)
    record("First", [{"seconds": 3.0}], "Again.", page)
    text = page.read_text()
    assert text.count("## First") == text.count("## Second") == 1
    assert text.index("## First") < text.index("## Second")
    assert "1.235" not in text and "How." not in text and "| 3 |" in text and "cores" in text


def test_cells_do_not_break_the_table(record, tmp_path):
    record("Any", [{"of": "a|b", "x": 0.123456}], page=tmp_path / "page.md")
    assert "| a\\|b | 0.1235 |" in (tmp_path / "page.md").read_text()
