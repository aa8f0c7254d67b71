"""Modules, names and files that the pages mention exist. Blocks of python.md and components.md are run elsewhere."""

import ast
import importlib
import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

import soundviews
from tools.notebooks import read_page
from tools.tutorials import TUTORIALS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs/recipes").glob("*.md"), *TUTORIALS]
FOLDERS = ("src", "tests", "docs", "benchmarks", "studies", "examples", "soundviews")


def ids(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def resolve(dotted: str) -> Any:
    """The module or the attribute that a dotted name below soundviews stands for."""
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError:
        module, _, name = dotted.rpartition(".")
        return getattr(resolve(module), name)


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_blocks_of_python_import_what_is_there(page: Path) -> None:
    for block in re.findall(r"^```python\n(.*?)^```$", read_page(page), flags=re.MULTILINE | re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("soundviews"):
                assert all(hasattr(importlib.import_module(str(node.module)), alias.name) for alias in node.names)
        for dotted in re.findall(r"\b(?:sv|soundviews)\.([a-z_]+(?:\.[A-Za-z_]+)*)", block):
            reduce(getattr, dotted.split("."), soundviews)


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_what_is_named_in_the_text_is_there(page: Path) -> None:
    text = read_page(page)
    for dotted in re.findall(r"`(soundviews(?:\.\w+)+)`", text):
        resolve(dotted)
    for dotted in re.findall(r"`sv\.([\w.]+)[(`]", text):
        reduce(getattr, dotted.split("."), soundviews)
    for module in re.findall(r"python -m ((?:benchmarks|studies)\.\w+)", text):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists(), module
    for path in re.findall(r"`([a-z]+/[\w/]+\.\w+)`", text):
        if path.partition("/")[0] in FOLDERS:
            assert (ROOT / path).exists() or (ROOT / "src" / path).exists(), path
