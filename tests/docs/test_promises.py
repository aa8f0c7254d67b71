"""Each promise names tests that exist."""

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_every_promise_has_a_test_that_exists() -> None:
    rows = [
        line
        for line in (REPOSITORY / "docs" / "promises.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and not line.startswith(("| promise", "|---"))
    ]
    assert len(rows) > 20
    for row in rows:
        named = NAMED.findall(row)
        assert named, row
        for path, function in named:
            tree = ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))
            names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            assert function in names if function else any(name.startswith("test_") for name in names), row
