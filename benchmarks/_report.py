"""What benchmarks share: peaks of memory, and their sections of docs/benchmarks.md."""

import os
import platform
import re
import resource
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
HEADER = "# Benchmarks\n\nWritten by `make bench`: each program in `benchmarks/` replaces its own section.\n"


def machine() -> str:
    """CPU model, usable cores and the versions that decide the speed."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    device = f", {torch.cuda.get_device_name(0)}" if torch.cuda.is_available() else ""
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{_cpu_model()}, {cores} cores{device}; {versions}"


def in_own_process(measure: Callable[..., T], *arguments: Any) -> T:
    """What `measure` returns, called by itself, because a process's peak of memory is never taken back."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)


def peak_memory() -> float:
    """GiB: of the device where there is one, else of this process."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def record(section: str, rows: Sequence[Mapping[str, Any]], note: str = "", page: Path = PAGE) -> None:
    """Replace one section of docs/benchmarks.md by a table, and print it.

    Args:
        section: The heading; a section of this name is replaced in place, a new one goes to the end.
        rows: One mapping a row; the columns are the keys of the first.
        note: Markdown put above the table: what was measured, how, and against what.
        page: The page to write.
    """
    parts = (f"## {section}", note.strip(), _table(rows), f"*{machine()}*")
    body = "\n\n".join(part for part in parts if part)
    text = page.read_text(encoding="utf-8") if page.exists() else HEADER
    header, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    kept = {part.splitlines()[0].removeprefix("## ").strip(): part.strip() for part in sections}
    kept[section] = body
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n\n".join([header.strip(), *kept.values()]) + "\n", encoding="utf-8")
    print(body, flush=True)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns)] + [[_cell(row.get(c, "")) for c in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _cpu_model() -> str:
    if (information := Path("/proc/cpuinfo")).exists():
        found = re.search(r"^model name\s*:\s*(.+)$", information.read_text(), flags=re.MULTILINE)
        if found:
            return found.group(1).strip()
    return platform.processor() or platform.machine()
