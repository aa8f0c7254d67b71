"""The lowest versions that pyproject.toml allows, as constraints for pip: `name==version`, a line each."""

import re
import tomllib
from pathlib import Path


def constraints(pyproject: str) -> list[str]:
    """A line for every dependency, of the extras too, that has a lower bound."""
    project = tomllib.loads(pyproject)["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    bounds = [re.fullmatch(r"([\w.-]+)(?:\[.*\])?>=([\d.]+)", line) for line in lines]
    return sorted({f"{bound[1]}=={bound[2]}" for bound in bounds if bound})


if __name__ == "__main__":
    print(*constraints((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text(encoding="utf-8")), sep="\n")
