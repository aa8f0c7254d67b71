"""`soundviews data` from the command line."""

import pytest
from typer.testing import CliRunner

from soundviews.audio.corpus import open_corpus
from soundviews.cli.app import app, load_verbs
from soundviews.datasets import fsdnoisy18k
from soundviews.errors import SoundviewsError


@pytest.fixture
def run():
    load_verbs()
    return lambda *words: CliRunner().invoke(app, ["data", *map(str, words)])


def test_scenes_are_written_and_opened(tmp_path, run):
    options = ("--clips", 5, "--seed", 9, "--sample-rate", 8000, "--min-seconds", 1, "--max-seconds", 1.5)
    result = run("scenes", "--to", tmp_path / "s", *options, "--max-events", 1, "--no-sources")
    assert result.exit_code == 0, result.output
    assert "5 scenes" in result.output
    corpus = open_corpus(tmp_path / "s")
    assert len(corpus) == 5 and corpus.single_label
    assert not (tmp_path / "s" / "sources").exists()


def test_wrong_options_are_user_errors(tmp_path, run):
    result = run("scenes", "--to", tmp_path / "s", "--sample-rate", 100)
    assert isinstance(result.exception, SoundviewsError) and "8000" in str(result.exception)
    assert not (tmp_path / "s").exists()


def test_fsdnoisy18k_says_what_it_got(tmp_path, run, monkeypatch):
    """Everything is there already but the counts are not the published ones: no request is made, and it is said."""
    fsdnoisy18k.make_lookalike(tmp_path / "FSD", noisy=2, clean=2, test=1)
    monkeypatch.setattr("soundviews.datasets.fsdnoisy18k.download", None)
    result = run("fsdnoisy18k", "--to", tmp_path / "FSD")
    assert result.exit_code == 0, result.output
    assert len(open_corpus(tmp_path / "FSD" / "small_clean.csv")) == 3  # 2 verified, 1 test
    assert "5 recordings" in result.output and "instead of 15813" in result.output


def test_a_refusing_mirror_is_a_user_error(tmp_path, run):
    result = run("fsdnoisy18k", "--to", tmp_path / "FSD", "--url-base", "nonsense")
    assert isinstance(result.exception, SoundviewsError) and "is not an address" in str(result.exception)
