"""Every benchmark runs in miniature, and leaves docs/benchmarks.md alone."""

import importlib
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks import _report

PROGRAMS = sorted(
    path.stem for path in (_report.PAGE.parents[1] / "benchmarks").glob("*.py") if not path.stem.startswith("_")
)


@pytest.fixture(autouse=True)
def same_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_runs_in_miniature_and_has_a_table(program: str, tmp_path: Path) -> None:
    if program == "nt_xent":
        pytest.importorskip("lightly")
    before = _report.PAGE.read_bytes()
    section = importlib.import_module(f"benchmarks.{program}").main(miniature=True)
    _report.record(section, tmp_path / "benchmarks.md")

    assert f"\n## {section.title}\n" in before.decode()
    numbers = [value for row in section.rows for value in row.values() if isinstance(value, int | float)]
    assert numbers and all(math.isfinite(number) for number in numbers)
    table = [line for line in (tmp_path / "benchmarks.md").read_text().splitlines() if line.startswith("| ")]
    assert len(table) == 2 + len(section.rows)
    assert _report.PAGE.read_bytes() == before
