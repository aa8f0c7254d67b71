"""`soundviews compare` from arguments to files and exit code."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from soundviews.cli.app import app, load_verbs
from soundviews.core.errors import SoundviewsError

HEAR = """
import types, torch

def load_model(model_file_path=""):
    return types.SimpleNamespace(sample_rate=8000, scene_embedding_size=1)

def get_scene_embeddings(audio, model):
    return (audio[:, 1:] * audio[:, :-1] < 0).float().mean(1, keepdim=True)
"""


@pytest.fixture
def folder(write_audio, tmp_path):
    """Three classes of tones as sub-folders."""
    for name, pitch in (("high", 3000), ("low", 300), ("middle", 1000)):
        for number in range(8):
            time = np.arange(6000 + 300 * number) / 16000
            write_audio(f"sounds/{name}/{number}.wav", samples=0.3 * np.sin(2 * np.pi * pitch * time))
    return tmp_path / "sounds"


@pytest.fixture
def run(folder, tmp_path, monkeypatch):
    """Compare on the folder, in a working directory with a HEAR module."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "crossings_of_compare.py").write_text(HEAR)
    load_verbs()

    def invoke(*arguments: object):
        return CliRunner().invoke(app, ["compare", "--data", str(folder), "--workers", "0", *map(str, arguments)])

    return invoke


def test_encoders_are_compared_and_the_result_written(run, tmp_path):
    out = tmp_path / "result"
    result = run("theirs=hear:crossings_of_compare", "logmel", "--out", out)
    assert result.exit_code == 0, result.output
    page = json.loads((out / "compare.json").read_text())
    assert [(row["protocol"], row["system"]) for row in page["rows"]] == [
        (protocol, system) for protocol in ("linear", "qbe") for system in ("theirs", "log-mel statistics")
    ]
    assert page["rows"][0]["options"] == {"style": "logistic"} and page["rows"][1]["value"] == 1.0
    assert [one["against"] for one in page["differences"]] == ["theirs", "theirs"] and page["failures"] == []
    written = {"compare.json", "compare.csv", "compare.svg", "f1.svg", "report.html"}
    assert {path.name for path in out.iterdir() if not path.name.startswith("confusion-")} == written
    assert len(list(out.glob("confusion-*.svg"))) == 2  # of the linear probe; retrieval classifies nothing
    assert "minus theirs" in result.output and str(out / "compare.csv") in result.output.replace("\n", "")


def test_one_failure_leaves_the_rest_and_shows_in_the_exit_code(run, tmp_path):
    out = tmp_path / "result"
    result = run("logmel", "hear:not_there_at_all", "-p", "knn:k=3", "-p", "finetune:epochs=1", "--out", out)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    page = json.loads((out / "compare.json").read_text())
    assert [(row["protocol"], row["system"]) for row in page["rows"]] == [("knn", "log-mel statistics")]
    assert [(one["system"], one["protocol"]) for one in page["failures"]] == [
        ("log-mel statistics", "finetune:epochs=1"),
        ("not_there_at_all", ""),
    ]
    assert "failed: not_there_at_all: hear:not_there_at_all: no module" in result.output
    assert "Not judged" in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["logmel", "-p", "qbee"], "did you mean 'qbe'"),
        (["logmel", "logmel"], "given 2 times"),
        (["a/b,c/d"], "need a name"),
        (["hear:not_there_at_all"], "nothing could be judged"),
        (["logmel", "--test-folds", "7"], "no clip for"),
        (["logmel", "--out", "/proc/nowhere"], "cannot write to"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(run, arguments, message):
    result = run(*arguments)
    assert isinstance(result.exception, SoundviewsError), result.output
    assert message in str(result.exception)
