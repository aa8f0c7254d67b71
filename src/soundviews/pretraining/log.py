"""`metrics.csv`: one row a logged step, rewound to the checkpoint that a resumed run starts from."""

import csv
from contextlib import suppress
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from soundviews.core.files import written_whole


class MetricsCsv(Logger):
    """Appends rows; a metric that appears later adds its column to the file.

    Args:
        path: The file.
        start_step: Rows from this step on are dropped: they belong to work that was lost and will be done again.
    """

    def __init__(self, path: Path, start_step: int = 0) -> None:
        super().__init__()
        self.path, self.columns, self._rows_to_keep = path, ["step"], start_step
        self._last_row: dict[str, Any] = {}

    @property
    def name(self) -> str:
        return "metrics"

    @property
    def version(self) -> str:
        return ""

    @property
    @rank_zero_experiment
    def experiment(self) -> "MetricsCsv":
        return self

    @rank_zero_only
    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """The run keeps its recipe in recipe.yaml."""

    @rank_zero_only
    def start(self) -> None:
        """Read what is there, drop the rows after the start."""
        rows: list[dict[str, Any]] = []
        if self.path.is_file():
            with open(self.path, newline="", encoding="utf-8", errors="replace") as file, suppress(csv.Error):
                reader = csv.DictReader(file)
                if "step" in (reader.fieldnames or ()):  # else it is damaged, and begun anew
                    self.columns = list(reader.fieldnames or ())
                    # a row cut short by a kill has no usable step
                    rows = [r for r in reader if _step(r) < self._rows_to_keep]
        self._rewrite(rows)

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        row = {"step": step, **{key: value for key, value in metrics.items() if key != "epoch"}}
        if row == self._last_row:  # written before the checkpoint of its step, and logged once more after it
            return
        self._last_row = row
        if new := [key for key in row if key not in self.columns]:
            with open(self.path, newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            self.columns += new
            self._rewrite(rows)
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns, restval="").writerow(row)

    def _rewrite(self, rows: list[dict[str, Any]]) -> None:
        with written_whole(self.path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)


def _step(row: dict[str, Any]) -> float:
    """The step of a row, infinite where it says none."""
    text = row["step"] or ""
    return int(text) if text.isdecimal() and len(text) < 19 else float("inf")


def read_metrics(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Curves of a run's metrics.csv: metric to [(step, value), ...]."""
    curves: dict[str, list[tuple[int, float]]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for key, value in row.items():
                if key not in ("step", None) and value:
                    curves.setdefault(key, []).append((int(row["step"]), float(value)))
    return curves
