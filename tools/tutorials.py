"""Run a notebook and keep what its cells print in it: `python -m tools.tutorials FILE`; `make tutorials` runs all."""

import ast
import base64
import io
import linecache
import os
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib

from tools.notebooks import Notebook, code_cells, read_notebook, source_of, write_notebook

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "tutorials"
TUTORIALS = sorted(FOLDER.glob("*.ipynb"))
DOTS_PER_INCH = 80

Output = dict[str, Any]


class _Stream(io.TextIOBase):
    """Standard output or standard error, as outputs of the cell that runs."""

    def __init__(self, name: str, outputs: list[Output]) -> None:
        self.name, self.outputs = name, outputs

    def write(self, text: str) -> int:
        if not self.outputs or self.outputs[-1].get("name") != self.name:
            self.outputs.append({"name": self.name, "output_type": "stream", "text": ""})
        self.outputs[-1]["text"] += text
        return len(text)


def run(notebook: Notebook, title: str) -> Iterator[list[Output]]:
    """Run the code cells in order, with one set of names, in the current folder.

    Args:
        title: What tracebacks call the notebook.

    Yields:
        The outputs of each cell, as a notebook keeps them.
    """
    matplotlib.use("agg")  # opens no window
    names: dict[str, Any] = {"__name__": "__main__"}
    outputs = list[Output]()
    out, err = _Stream("stdout", outputs), _Stream("stderr", outputs)
    for number, cell in enumerate(code_cells(notebook), start=1):
        outputs.clear()
        with redirect_stdout(out), redirect_stderr(err):
            value = _execute(source_of(cell), f"{title}, cell {number}", names)
        if value is not None:
            outputs.append(_data("execute_result", {"text/plain": repr(value)}) | {"execution_count": number})
        yield [*map(_by_lines, outputs), *_figures()]


def _execute(source: str, title: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line if that is an expression."""
    tree = ast.parse(source, title)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    linecache.cache[title] = (len(source), None, source.splitlines(keepends=True), title)  # for tracebacks
    exec(compile(tree, title, "exec"), names)
    return eval(compile(ast.Expression(last.value), title, "eval"), names) if isinstance(last, ast.Expr) else None


def _figures() -> Iterator[Output]:
    """The open figures, which are closed. Their labels say what is to be seen."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    for number in pyplot.get_fignums() if pyplot else ():
        figure, picture = pyplot.figure(number), io.BytesIO()
        figure.savefig(picture, dpi=DOTS_PER_INCH, bbox_inches="tight", metadata={"Software": None})
        pyplot.close(figure)
        encoded = base64.b64encode(picture.getvalue()).decode() + "\n"
        yield _data("display_data", {"image/png": encoded, "text/plain": figure.get_label()})


def _data(kind: str, data: dict[str, str]) -> Output:
    return {"data": data, "metadata": {}, "output_type": kind}


def _by_lines(output: Output) -> Output:
    """Text as a list of lines, so that a changed line is one line of a difference."""
    if "text" in output:
        return output | {"text": output["text"].splitlines(keepends=True)}
    return output | {"data": {kind: text.splitlines(keepends=True) for kind, text in output["data"].items()}}


def main(path: Path) -> None:
    """Run the notebook in an empty folder, with an empty cache, and write its outputs into it."""
    notebook = read_notebook(path)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["SOUNDVIEWS_CACHE"] = str(Path(folder) / "cache")
        work = Path(folder) / "work"
        work.mkdir()
        with chdir(work):
            outputs = list(run(notebook, path.name))
    for number, (cell, printed) in enumerate(zip(code_cells(notebook), outputs, strict=True), start=1):
        cell["execution_count"], cell["outputs"] = number, printed
    write_notebook(path, notebook)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
