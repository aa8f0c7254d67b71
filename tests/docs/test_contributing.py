"""What CONTRIBUTING says of the tree is true: which package may import which, which files and tests there are."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "soundviews"
PAGE = (ROOT / "CONTRIBUTING.md").read_text()


def floors() -> list[list[str]]:
    """The order of imports, from the command line down."""
    (order,) = re.findall(r"`(cli\s+-> [^`]+)`", PAGE)
    return [re.findall(r"\w+", floor) for floor in order.split("->")]


def imports() -> Iterator[tuple[str, str, Path]]:
    """(package, imported package, file) of every import between two packages, those inside functions too."""
    for path in sorted(SOURCE.glob("*/**/*.py")):
        package = path.relative_to(SOURCE).parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                below = [f"soundviews.{alias.name}" for alias in node.names]
                modules = below if node.module == "soundviews" else [node.module]
            for module in modules:
                parts = module.split(".")
                if parts[0] == "soundviews" and len(parts) > 1 and parts[1] != package:
                    yield package, parts[1], path


def test_imports_go_down() -> None:
    floor = {package: index for index, packages in enumerate(floors()) for package in packages}
    assert set(floor) == {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    upwards = [(str(path.relative_to(SOURCE)), to) for package, to, path in imports() if floor[to] <= floor[package]]
    assert not upwards


def test_files_and_tests_of_the_table_exist() -> None:
    paths = re.findall(r"`((?:src|tests)/[\w/.]+)`", PAGE)
    assert len(paths) > 10
    for path in paths:
        target = ROOT / path
        assert (target.parent if target.stem == "NAME" else target).exists(), path
