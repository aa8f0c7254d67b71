"""What pyproject.toml, CITATION.cff and the workflow say is one thing, and the lowest versions are those bounds."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import yaml

import soundviews as sv

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_version_is_said_alike() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == sv.__version__ == importlib.metadata.version("soundviews")
    changes = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[([\d.]+)\]", changes, re.MULTILINE)[1] == sv.__version__  # type: ignore[index]


def test_the_package_says_who_and_where() -> None:
    about = importlib.metadata.metadata("soundviews")
    assert about["Author"] == "The soundviews authors"
    links = dict(line.split(", ") for line in about.get_all("Project-URL") or [])
    assert {"Homepage", "Repository", "Issues"} <= set(links)
    classified = {line.rpartition(" ")[2] for line in about.get_all("Classifier") or [] if ":: Python :: 3." in line}
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    fast = workflow["jobs"]["fast"]["strategy"]["matrix"]
    assert classified == set(fast["python"]) == {"3.11", "3.12", "3.13"}
    assert {name.partition("-")[0] for name in fast["system"]} == {"ubuntu", "macos", "windows"}


def test_every_dependency_of_a_user_has_a_lower_bound_that_is_tested() -> None:
    program = [sys.executable, str(REPOSITORY / ".ci/lowest.py")]
    result = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    lowest = dict(line.lower().split("==") for line in result.stdout.split())
    assert lowest["torch"] == "2.11"
    for line in importlib.metadata.requires("soundviews") or []:
        name = re.split(r"[\[><=;]", line)[0].strip().lower()
        if name != "soundviews" and not re.search(r"extra == .(docs|dev|bench).", line):
            assert name in lowest and f">={lowest[name]}" in line, line
