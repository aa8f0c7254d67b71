"""Runs in processes of their own, which can be killed."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def command(*arguments: str, cache: Path, **options: Any) -> subprocess.Popen[str]:
    program = cache.with_name("program.py")  # a file, so that Lightning can start it again
    program.write_text("from soundviews.cli.app import main\nmain()\n")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "SOUNDVIEWS_CACHE": str(cache)}
    return subprocess.Popen(
        [sys.executable, str(program), *arguments],
        env=environment,
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | options,
    )


def read_rows(run: Path) -> list[dict[str, str]]:
    with open(run / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def kill_after_checkpoint(process: subprocess.Popen[str], last: Path) -> None:
    """kill -9 as soon as a checkpoint newer than the one there now has been written."""
    before = last.stat().st_mtime_ns if last.exists() else None
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if last.exists() and last.stat().st_mtime_ns != before:
            break
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
