"""`soundviews.evaluate` from Python: what it takes, and results that show themselves."""

import json
import logging
import sys
import types

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.core.locks import locked
from soundviews.datasets.opening import open_corpus
from soundviews.evaluation import open_tasks
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.face.evaluate import evaluate

QUICK = {"workers": 0}


def test_a_folder_a_corpus_and_a_task_are_judged_alike(folder, tiny_model):
    corpus = open_corpus(folder)
    (task,) = open_tasks(corpus)
    results = [evaluate(tiny_model, data, "qbe", **QUICK) for data in (folder, str(folder), corpus, task)]
    assert len({result.rows[0].value for result in results}) == 1
    assert {result.data for result in results} == {str(folder)}
    with pytest.raises(SoundviewsError, match="has its parts already"):
        evaluate(tiny_model, task, "qbe", test_split="test", **QUICK)


def test_a_model_stays_as_it_is_and_what_embeds_is_taken(folder, tiny_model):
    before = (tiny_model.name, tiny_model.config, tiny_model.encoder.training)
    result = evaluate(tiny_model, folder, {"knn": {"k": 3}}, hop=800, **QUICK)
    assert (tiny_model.name, tiny_model.config, tiny_model.encoder.training) == before
    assert result.model == "tiny" and result.rows[0].details["patches"] > 4
    named = evaluate("logmel", folder, "qbe", **QUICK).rows[0].value
    assert evaluate(LogMelStatistics(), folder, "qbe", **QUICK).rows[0].value == named
    with pytest.raises(SoundviewsError, match="takes no hop="):
        evaluate("logmel", folder, "qbe", hop=100, **QUICK)


def test_what_fails_is_kept_and_the_rest_goes_on(folder, tmp_path):
    out = tmp_path / "out"
    result = evaluate("logmel", folder, ["finetune", "qbe"], out=out, **QUICK)
    assert [row.protocol for row in result.rows] == ["qbe"]
    (failure,) = result.failures
    assert str(failure) == "log-mel statistics, finetune: finetune trains a network, and log-mel statistics has none"
    assert json.loads((out / "evaluation.json").read_text())["failures"][0]["protocol"] == "finetune"
    assert "Not judged" in (out / "report.html").read_text() and "failed: " in repr(result)


def test_one_process_writes_a_folder(folder, tmp_path):
    with locked(tmp_path / "out", inside=True):
        with pytest.raises(SoundviewsError, match=r"another soundviews .* wait for it$"):
            evaluate("logmel", folder, "qbe", out=tmp_path / "out", **QUICK)
        evaluate("logmel", folder, "qbe", **QUICK)
    assert not (tmp_path / "out").exists()


def test_the_traceback_of_a_bug_is_logged(folder, caplog):
    class Broken(LogMelStatistics):
        def embed_clips(self, clips, space="h"):
            raise ZeroDivisionError("a bug")

    with caplog.at_level(logging.ERROR), pytest.raises(SoundviewsError, match=r"could be judged: .* ZeroDivision"):
        evaluate(Broken(), folder, "qbe", **QUICK)
    assert "a bug" in caplog.text and "in embed_clips" in caplog.text


def test_unknown_protocols_come_before_the_clips():
    with pytest.raises(SoundviewsError, match="did you mean 'qbe'"):
        evaluate("logmel", "no/such/folder", ["knn", "qbee"])


def test_a_result_shows_itself(folder):
    seen = []
    result = evaluate(
        "logmel", folder, ["linear:style=logistic", "qbe"], on_row=lambda *so_far: seen.append(so_far), **QUICK
    )
    assert [row.protocol for _, row in seen] == ["linear", "qbe"] and result.written == ()
    text, html = repr(result), result._repr_html_()
    for row in result.rows:
        assert f"{row.value:.3f}" in text and f"<td>{row.value:.3f}</td>" in html
    assert "log-mel statistics" in text and "\x1b" not in text and "<table>" in html


def test_a_result_is_a_data_frame(folder, monkeypatch):
    result = evaluate("logmel", folder, "linear:style=logistic", **QUICK)
    pandas = types.SimpleNamespace(DataFrame=types.SimpleNamespace(from_records=lambda records: records))
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    (record,) = result.frame()
    row = result.rows[0]
    assert record["protocol"] == "linear:style=logistic" and record["value"] == record["accuracy"] == row.value
    assert (record["low"], record["high"], record["macro_f1"]) == (row.low, row.high, row.metrics["macro_f1"])


def test_without_pandas_the_error_says_what_to_install(folder, monkeypatch):
    result = evaluate("logmel", folder, "qbe", **QUICK)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SoundviewsError, match="pip install pandas"):
        result.frame()
