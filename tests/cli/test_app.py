"""The program itself: its version, and that only it speaks of --options."""

import pytest
from typer.testing import CliRunner

from soundviews.cli.app import app, load_verbs
from soundviews.core.errors import SoundviewsError, option
from soundviews.core.version import __version__
from soundviews.recipes.reading import load_page


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"soundviews {__version__}\n")


def test_the_command_line_speaks_its_words_and_python_its_own_before_and_after(tmp_path) -> None:
    load_verbs()
    result = CliRunner().invoke(app, ["pretrain", str(tmp_path), "--out", str(tmp_path / "run"), "--set", "no"])
    assert isinstance(result.exception, SoundviewsError) and "--set" in str(result.exception)
    assert option("out") == "out="
    with pytest.raises(SoundviewsError) as error:
        load_page("uclser", ["no"])
    assert "--" not in str(error.value)
