"""Whether two folders hold the same results: weights, audio and vectors to the bit, figures without their times."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

WHEN = {"seconds", "path", "bundle", "root", "command"}  # and where
LEFT_OUT = (".ckpt", ".html", ".svg", ".png", ".log")  # in which times and places stand, or that differ by their making


def differences(whole: Path, other: Path) -> list[str]:
    """What differs, a line each; nothing that is hidden or was under way may be left beside the results."""
    names, mine = _files(whole), _files(other)
    lines = [f"{name} is missing" for name in sorted(names - mine)]
    lines += [f"{name} is left over" for name in sorted(mine - names)]
    return lines + [f"{name} differs" for name in sorted(names & mine) if _read(whole / name) != _read(other / name)]


def _files(folder: Path) -> set[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix()
        for path in files
        if path.suffix not in LEFT_OUT and "tfevents" not in path.name and path.name != ".lock"
    }


def _read(path: Path) -> Any:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pydict()
    if path.suffix == ".json":
        return _timeless(json.loads(path.read_text(encoding="utf-8")))
    if path.suffix == ".csv":
        with open(path, newline="", encoding="utf-8") as file:
            return [{key: value for key, value in row.items() if key not in WHEN} for row in csv.DictReader(file)]
    return path.read_bytes()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in WHEN}
    return [_timeless(item) for item in value] if isinstance(value, list) else value
