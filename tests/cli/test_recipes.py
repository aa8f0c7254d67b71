"""`soundviews recipes`: the ones to begin with, all of them, and one as a page to train from."""

from pathlib import Path

from typer.testing import CliRunner

from soundviews.cli.app import app, load_verbs
from soundviews.recipes.about import FIRST
from soundviews.recipes.loading import load_recipe


def run(*arguments: str) -> str:
    load_verbs()
    result = CliRunner().invoke(app, ["recipes", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_a_newcomer_is_shown_three() -> None:
    output = run()
    assert len(FIRST) == 3 and all(name in output for name in FIRST)
    assert "--all" in output and "ssep/table4/n" not in output


def test_all_are_there_on_request() -> None:
    output = run("--all")
    assert "ssep/table4/n-joint" in output and "uclser/small" in output


def test_what_is_printed_of_one_explains_it_and_trains(tmp_path: Path) -> None:
    page = tmp_path / "mine.yaml"
    page.write_text(run("uclser/small"))
    assert "# reached" in page.read_text()
    assert load_recipe(str(page)) == load_recipe("uclser/small")
