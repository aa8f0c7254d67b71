"""Notebooks as plain data and as Markdown; no Jupyter is needed to read, run or show them."""

import json
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]
Cell = dict[str, Any]


def read_notebook(path: Path) -> Notebook:
    """The notebook in a file, format 4."""
    notebook: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def write_notebook(path: Path, notebook: Notebook) -> None:
    """Keep a notebook, laid out as Jupyter does."""
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def code_cells(notebook: Notebook) -> list[Cell]:
    """The cells that run, in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source_of(cell: Cell) -> str:
    """What was typed into a cell."""
    return "".join(cell["source"])


def printed(cell: Cell) -> str:
    """All text that a code cell printed or showed."""
    parts = [output.get("text") or output["data"].get("text/plain", "") for output in cell["outputs"]]
    return "\n".join("".join(part) for part in parts)


def as_markdown(notebook: Notebook) -> str:
    """The notebook as a page: code and what it printed as blocks, pictures inside the page."""
    parts = list[str]()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            parts.append(source_of(cell))
        else:
            parts += [f"```python\n{source_of(cell)}\n```", *map(_shown, cell["outputs"])]
    return "\n\n".join(parts) + "\n"


def read_page(path: Path) -> str:
    """The Markdown of a page of docs/, be it a notebook or not."""
    return as_markdown(read_notebook(path)) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")


def _shown(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    text = "".join(output.get("text") or data.get("text/plain", ""))
    if "image/png" in data:
        return f"![{text}](data:image/png;base64,{data['image/png'].strip()})"
    return f"```text\n{text.rstrip()}\n```"
