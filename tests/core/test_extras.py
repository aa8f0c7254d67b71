"""A package that is not installed is named with the extra that brings it."""

import re
import tomllib
from pathlib import Path

import pytest

from soundviews.core.extras import EXTRAS, MissingExtra, naming_extras

DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # where it differs from the module
PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def test_a_missing_package_is_named_with_its_extra() -> None:
    with (
        pytest.raises(MissingExtra, match=r'^this needs sklearn.*pip install "soundviews\[evaluate\]"$'),
        naming_extras(),
    ):
        raise ModuleNotFoundError("No module named 'sklearn.metrics'", name="sklearn.metrics")


@pytest.mark.parametrize("name", ["somebodys_module", None, "timmy"])
def test_other_missing_modules_stay_what_they_are(name: str | None) -> None:
    with pytest.raises(ModuleNotFoundError), naming_extras():
        raise ModuleNotFoundError("no such module", name=name)


def test_extras_are_those_of_pyproject() -> None:
    """Every extra brings what EXTRAS says of it, and EXTRAS knows all that the extras of users bring."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = {
        name: {re.split(r"[\[><=]", line)[0] for line in lines} - {"soundviews"}
        for name, lines in project["optional-dependencies"].items()
        if name not in ("all", "docs", "dev", "bench")
    }
    said: dict[str, set[str]] = {}
    for module, extra in EXTRAS.items():
        said.setdefault(extra, set()).add(DISTRIBUTIONS.get(module, module))
    assert said == extras
    base = {re.split(r"[\[><=]", line)[0] for line in project["dependencies"]}
    assert not base & set.union(*extras.values())
