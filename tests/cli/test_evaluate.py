"""`soundviews evaluate` from arguments to files."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from soundviews.cli._folds import numbers
from soundviews.cli.app import app, load_verbs
from soundviews.core.errors import SoundviewsError


@pytest.fixture
def folder(write_audio, tmp_path):
    """Two classes of tones as sub-folders."""
    for name, pitch in (("high", 3000), ("low", 300)):
        for number in range(10):
            time = np.arange(8000 + 400 * number) / 16000
            write_audio(f"sounds/{name}/{number}.wav", samples=0.3 * np.sin(2 * np.pi * pitch * time))
    return tmp_path / "sounds"


def run(*arguments: object):
    load_verbs()
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_a_folder_is_judged_and_the_result_written(folder, tmp_path):
    out = tmp_path / "result"
    protocols = ["-p", "linear:style=logistic", "-p", "qbe"]
    result = run("logmel", "--data", folder, *protocols, "--workers", 0, "--out", out)
    assert result.exit_code == 0, result.output
    page = json.loads((out / "evaluation.json").read_text())
    assert [row["protocol"] for row in page["rows"]] == ["linear", "qbe"]
    assert page["rows"][0]["value"] == 1.0 and page["rows"][0]["options"] == {"style": "logistic"}
    assert "stratified 80 %" in page["tasks"][0]
    html = (out / "report.html").read_text()
    assert sorted(path.name for path in out.glob("*.svg")) == [
        "confusion-log-mel-statistics-linear-style-logistic.svg",
        "f1.svg",
    ]
    assert page["rows"][0]["confusion"] == [[2, 0], [0, 2]] and page["rows"][0]["f1"] == {"high": 1.0, "low": 1.0}
    assert "linear:style=logistic" in html and "<svg" not in html and "http" not in html.split("</style>")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "qbee"], "did you mean 'qbe'"),
        (["-p", "knn:k"], "name=value"),
        (["-p", "linear:epochs=ten"], "epochs must be a whole number above 0, not 'ten'"),
        (["-p", "finetune:lr=-1"], "lr must be a number above 0"),
        (["-p", "knn:k=2.5"], "k must be a whole number"),
        (["-p", "linear:standardize=2"], "standardize must be true or false"),
        (["-p", "qbe:space=1"], "space must be text"),
        (["-p", "qbe", "--test-folds", "a"], "separated by commas"),
        (["-p", "qbe", "--test-folds", "7"], "no clip for"),
        (["-p", "qbe", "--cross-validate"], "at least two folds"),
        (["-p", "qbe", "--cross-validate", "--test-split", "test"], "give no folds or splits"),
        (["-p", "linear", "--validation-folds", "2", "--validation-share", "0.1"], "hold out no share"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(folder, arguments, message):
    result = run("logmel", "--data", folder, "--workers", 0, *arguments)
    assert isinstance(result.exception, SoundviewsError)
    assert message in str(result.exception)


def test_validation_clips_are_held_out(folder):
    result = run("logmel", "--data", folder, "-p", "linear:epochs=3", "--validation-share", "0.25", "--workers", 0)
    assert result.exit_code == 0, result.output
    assert "held out from train" in " ".join(result.output.split())


def test_only_invariance_takes_clips_without_labels(folder, tmp_path):
    unlabelled, out = folder / "high", tmp_path / "result"
    arguments = ("logmel", "--data", unlabelled, "--workers", 0, "-p", "invariance:only=gain -6 dB")
    result = run(*arguments, "--out", out)
    assert result.exit_code == 0, result.output
    page = json.loads((out / "evaluation.json").read_text())
    assert page["rows"][0]["details"]["clips"] == 10 and page["tasks"] == ["test: all of it (10 clips)"]
    assert "found again" in result.output
    refused = run(*arguments, "-p", "qbe")
    assert isinstance(refused.exception, SoundviewsError) and "no labels" in str(refused.exception)


def test_brackets_and_dollars_in_names_are_no_markup(folder, tmp_path, write_audio):
    names = ("[red]", "a$^b", "c$_{d$")
    for old, new in zip(("high", "low"), names, strict=False):
        (folder / old).rename(folder / new)
    out = tmp_path / "[bold]out"
    result = run("logmel", "--data", folder, "-p", "linear:style=logistic", "--workers", 0, "--out", out)
    assert result.exit_code == 0, result.output
    assert str(folder) in result.output.replace("\n", "") and (out / "f1.svg").exists()


def test_folds_are_numbers_with_commas():
    assert numbers("1, 2") == [1, 2] and numbers("") is None and numbers(None) is None


def test_what_has_no_windows_takes_no_hop(folder):
    result = run("logmel", "--data", folder, "-p", "qbe", "--hop", 100)
    assert isinstance(result.exception, SoundviewsError) and "takes no --hop" in str(result.exception)
    result = run("hear:no_such_module_at_all", "--data", folder, "-p", "qbe")
    assert isinstance(result.exception, SoundviewsError) and "no module no_such_module_at_all" in str(result.exception)
