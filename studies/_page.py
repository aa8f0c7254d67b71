"""What the pages of results share: where they lie, commands that run once, each with a log and a record, tables."""

import json
import os
import platform
import shlex
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS, IMAGES = REPOSITORY / "docs" / "results", REPOSITORY / "docs" / "images"


class Command(NamedTuple):
    """`soundviews` with `arguments`; `name` is that of its log and record."""

    name: str
    arguments: list[str]


def run_once(command: Command, work: Path) -> None:
    """Run a command unless it has been: WORK/logs/NAME.json says so, NAME.log what it printed.

    A training that was stopped goes on where it was; its seconds are then unknown.

    Raises:
        SystemExit: it failed, or was run with other arguments before.
    """
    logs = work / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    if (done := record(command.name, work)) is not None:
        if done["arguments"] != command.arguments:
            raise SystemExit(
                f"{command.name} was run with other arguments: choose another WORK, or remove its results and "
                f"{logs / command.name}.json\nthen: {shlex.join(done['arguments'])}\n"
                f"now:  {shlex.join(command.arguments)}"
            )
        return
    arguments, goes_on = command.arguments, _begun(command.arguments)
    print(shlex.join(["soundviews", *arguments]), flush=True)
    started = time.time()
    with open(logs / f"{command.name}.log", "a") as log:
        status = subprocess.run(["soundviews", *arguments], stdout=log, stderr=subprocess.STDOUT).returncode
    if status:
        raise SystemExit(f"it failed ({status}); see {logs / command.name}.log")
    told = {
        "arguments": command.arguments,
        "commit": commit(),
        "threads": os.environ.get("OMP_NUM_THREADS", "as torch chooses"),
        "seconds": None if goes_on else time.time() - started,
    }
    (logs / f"{command.name}.json").write_text(json.dumps(told, indent=2) + "\n")


def record(name: str, work: Path) -> dict[str, Any] | None:
    """What `run_once` wrote when the command had succeeded; None before."""
    path = work / "logs" / f"{name}.json"
    written: dict[str, Any] | None = json.loads(path.read_text()) if path.is_file() else None
    return written


def _begun(arguments: list[str]) -> bool:
    """Whether there is a run in the directory after -o; the same command then goes on with it."""
    return "-o" in arguments and Path(arguments[arguments.index("-o") + 1], "environment.json").is_file()


def commit() -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, cwd=REPOSITORY).stdout.strip()


def machine() -> str:
    """Processor, cores, torch, GPU."""
    cpu = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = (line.split(":")[1].strip() for line in cpu.splitlines() if line.startswith("model name"))
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{next(names, platform.processor())}, {os.cpu_count()} cores, torch {torch.__version__}, {gpu}"


def written_by(program: str, commits: Iterable[str] = ()) -> str:
    """The line below a page's title.

    program: The module of this package that writes the page. commits: Those of its runs, where they were recorded.
    """
    others = sorted(set(commits) - {commit()})
    ran = f"; its commands ran at {', '.join(others)}" if others else ""
    return f"Written by `python -m studies.{program}` at commit {commit()}{ran}; {machine()}."


def notes(page: Path) -> list[str]:
    """What was written by hand about a page, as lines; none if nothing was."""
    path = page.with_name(f"{page.stem}_notes.md")
    return [path.read_text().rstrip(), ""] if path.is_file() else []


def shown(arguments: Sequence[str], names: dict[str, str]) -> list[str]:
    """A command as a code block; `names` says by which name each path of this machine goes."""
    words = []
    for word in arguments:
        for path, name in names.items():
            word = word.replace(path, name)
        words.append(word)
    return ["```", shlex.join(["soundviews", *words]), "```", ""]


def picture(path: Path, page: Path, words: str) -> list[str]:
    """The lines of a page that show a picture."""
    return [f"![{words}]({os.path.relpath(path, page.parent)})", ""]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]
