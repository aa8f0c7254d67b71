"""`soundviews.compare` from Python: models by name or in a list."""

import sys
import types

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.face.compare import compare
from soundviews.model.bundle import save_bundle


def test_models_paths_and_texts_are_compared(folder, tiny_model, tmp_path, monkeypatch):
    runs = [tiny_model.reinitialised(seed) for seed in (1, 2)]
    path = save_bundle(tmp_path / "runs/saved/bundle", tiny_model.config, tiny_model.encoder)
    models = {"mine": tiny_model, "saved": path, "random": runs, "statistics": "logmel"}
    result = compare(models, folder, "linear:style=logistic", workers=0, out=tmp_path / "out")
    assert [row.system for row in result.rows] == list(models) and not result.failures
    assert result.rows[0].value == result.rows[1].value and result.differences[0].difference == 0
    assert result.rows[2].interval == "Student t over 2 runs"
    assert [run["run"] for run in result.rows[2].runs] == ["tiny random (1)", "tiny random (2)"]
    assert tiny_model.name == "tiny"
    text, html = repr(result), result._repr_html_()
    for less in result.differences:
        assert f"{less.low:+.3f} to {less.high:+.3f}" in text and f"<td>{less.difference:+.3f}</td>" in html
    assert "minus mine" in text and {"compare.json", "compare.csv", "report.html"} <= {
        file.name for file in result.written
    }
    module = types.SimpleNamespace(DataFrame=types.SimpleNamespace(from_records=lambda records: records))
    monkeypatch.setitem(sys.modules, "pandas", module)
    first, second, *_ = result.frame()
    assert first["p"] is None and second["p"] == result.differences[0].p and second["paired"] == "6 test clips"


def test_a_list_names_itself_and_protocols_have_a_default(folder, tiny_model):
    result = compare([tiny_model, "logmel"], folder, workers=0)
    assert [(row.protocol, row.system) for row in result.rows] == [
        (protocol, system) for protocol in ("linear", "qbe") for system in ("tiny", "log-mel statistics")
    ]


def test_two_models_of_one_name_need_names(folder, tiny_model):
    with pytest.raises(SoundviewsError, match=r"give them other names, as in \{"):
        compare([tiny_model, tiny_model.reinitialised(0).replace(name="tiny")], folder)
