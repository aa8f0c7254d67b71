"""Figures of processors as a table and as files."""

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from soundviews.evaluation.separation import SeparationFigures


def table(results: Sequence[SeparationFigures]) -> Table:
    """A row for each processor; fits into 80 columns."""
    shown = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    shown.add_column("processor", no_wrap=True, vertical="bottom")
    for name in (
        "steps",
        "SI-SNRi\ndB",
        "1S\ndB",
        "MoMi\ndB",
        "under/\nequal/\nover %",
        "corr.\nmixture",
        "corr.\nchannels",
        "level\ndB",
        "near-\nempty",
    ):
        shown.add_column(name, justify="right", vertical="bottom")
    for result in results:
        cell = result.figures
        shown.add_row(
            result.processor,
            f"{result.step:,}",
            *(_cell(cell[name], "{:.2f}") for name in ("msi", "single_source_si_snr", "momi")),
            "/".join(_cell(100 * cell[name], "{:.0f}") for name in ("under", "equal", "over")),
            *(_cell(cell[name], "{:.3f}") for name in ("mixture_correlation", "channel_correlation")),
            _cell(cell["level"], "{:.1f}"),
            _cell(cell["near_empty"], "{:.0%}"),
        )
    return shown


def _cell(value: float, form: str) -> str:
    return "-" if math.isnan(value) else form.format(value)


def save(path: Path, results: Sequence[SeparationFigures], about: dict[str, Any]) -> None:
    """Write all there is to know, as .csv (a row for each processor) or as JSON.

    Args:
        path: Its suffix decides.
        results: The processors' figures on one corpus.
        about: Put in front of the results, in JSON only.
    """
    rows = [
        vars(result) | {"figures": {k: None if math.isnan(v) else v for k, v in result.figures.items()}}
        for result in results
    ]
    if path.suffix == ".csv":
        _write_csv(path, [row | {"unreadable": len(row["unreadable"])} | row["figures"] for row in rows])
    else:
        path.write_text(json.dumps(about | {"processors": rows}, indent=2) + "\n", encoding="utf-8")


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row if name != "figures"))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
