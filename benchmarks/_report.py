"""What benchmarks share: peaks of memory, and their sections of docs/benchmarks.md."""

import argparse
import inspect
import os
import platform
import re
import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
HEADER = "# Benchmarks\n\nWritten by `make bench`: each program in `benchmarks/` replaces its own section.\n"


class Section(NamedTuple):
    """What a benchmark has to say.

    title: The heading. rows: One mapping a row; the columns are the keys of the first. note: Markdown above the
    table: what was measured, how, and against what.
    """

    title: str
    rows: Sequence[Mapping[str, Any]]
    note: str = ""


def run(measure: Callable[[bool], Section]) -> None:
    """Measure, and replace the section of docs/benchmarks.md; with `--miniature` only print what came out."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(inspect.getmodule(measure)))
    parser.add_argument("--miniature", action="store_true", help="seconds, to see that it works; nothing is recorded")
    miniature = parser.parse_args().miniature
    section = measure(miniature)
    if miniature:
        print(markdown(section))
    else:
        record(section)


def encoder_recipes() -> list[str]:
    """The shipped recipes that train an encoder, without their variants."""
    from soundviews.recipes.reading import list_recipes, load_page

    return [name for name in list_recipes() if "/" not in name and "encoder" in load_page(name)]


def machine() -> str:
    """CPU model, usable cores and the versions that decide the speed."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    device = f", {torch.cuda.get_device_name(0)}" if torch.cuda.is_available() else ""
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{_cpu_model()}, {cores} cores{device}; {versions}"


@contextmanager
def empty_cache(folder: str) -> Iterator[None]:
    """Let what soundviews keeps go below `folder` meanwhile, here and in the processes that are started."""
    before = os.environ.get("SOUNDVIEWS_CACHE")
    os.environ["SOUNDVIEWS_CACHE"] = str(Path(folder) / "cache")
    try:
        yield
    finally:
        del os.environ["SOUNDVIEWS_CACHE"]
        if before is not None:
            os.environ["SOUNDVIEWS_CACHE"] = before


def in_own_process(measure: Callable[..., T], *arguments: Any) -> T:
    """Call `measure` in a new process, because a process's peak of memory is never taken back."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)


def peak_memory() -> float:
    """GiB: of the device where there is one, else of this process."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def record(section: Section, page: Path = PAGE) -> None:
    """Print a section and put it in the page: in place of one with its title, else at the end."""
    text = page.read_text(encoding="utf-8") if page.exists() else HEADER
    header, *written = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    sections = {part.splitlines()[0].removeprefix("## ").strip(): part.strip() for part in written}
    sections[section.title] = markdown(section)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n\n".join([header.strip(), *sections.values()]) + "\n", encoding="utf-8")
    print(sections[section.title], flush=True)


def markdown(section: Section) -> str:
    parts = (f"## {section.title}", section.note.strip(), _table(section.rows), f"*{machine()}*")
    return "\n\n".join(part for part in parts if part)


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
        model = re.search(r"^model name\s*:\s*(.+)$", information.read_text(), flags=re.MULTILINE)
        if model:
            return model.group(1).strip()
    return platform.processor() or platform.machine()
