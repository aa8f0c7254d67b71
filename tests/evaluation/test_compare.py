"""Several systems under the same protocols: rows, pooled runs, tests, and failures that leave the rest alone."""

import json

import numpy as np
import pytest

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation import compare as module
from soundviews.evaluation import evaluate, open_tasks
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.compare import compare
from soundviews.evaluation.intervals import student_t
from soundviews.evaluation.paired import compare_scores
from soundviews.model import Model
from soundviews.model.bundle import save_bundle

LOGISTIC = ("linear", {"style": "logistic"})


@pytest.fixture
def bundles(tmp_path, tiny_model) -> list[str]:
    """Three of random weights."""
    paths = []
    for seed in range(3):
        fresh = tiny_model.reinitialised(seed)
        paths.append(str(save_bundle(tmp_path / f"runs/{seed}/bundle", fresh.config, fresh.encoder)))
    return paths


@pytest.fixture
def task(tones, tmp_path):
    return open_tasks(tones, cache=tmp_path / "kept")[0]


def test_rows_differences_and_intervals(task, bundles, tmp_path):
    systems = {"random": bundles, "log-mel": ["logmel"], "one": [bundles[0]]}
    result = compare(systems, [task], [LOGISTIC, ("qbe", {})], data="tones")
    assert [(row.protocol, row.system) for row in result.rows] == [
        (protocol, system) for protocol in ("linear", "qbe") for system in ("random", "log-mel", "one")
    ]
    alone = [evaluate(_loaded(path), [task], [LOGISTIC, ("qbe", {})]).rows for path in bundles]
    for number, row in enumerate((result.rows[0], result.rows[3])):
        of_runs = [rows[number].value for rows in alone]
        assert row.value == pytest.approx(np.mean(of_runs)) and row.interval == "Student t over 3 runs"
        assert (row.low, row.high) == pytest.approx(student_t(of_runs, "")[:2])
        assert [run["run"] for run in row.runs] == bundles and len(row.scores) == 3
        expected = np.mean([list(rows[number].per_class.values()) for rows in alone], axis=0)
        assert list(row.per_class.values()) == pytest.approx(expected)
    assert [(one.protocol, one.system, one.against) for one in result.differences] == [
        (row.label, row.system, "random") for row in result.rows if row.system != "random"
    ]
    for one in result.differences:
        rows = {row.system: row for row in result.rows if row.label == one.protocol}
        tested = compare_scores(rows["random"].scores, rows[one.system].scores)
        assert tested is not None and (one.difference, one.p) == (tested.difference, tested.p)
        assert one.difference == pytest.approx(rows[one.system].value - rows["random"].value)
        assert one.p <= one.p_holm <= 1 and one.low <= one.difference <= one.high
    result.save(tmp_path / "compare.json")
    page = json.loads((tmp_path / "compare.json").read_text())
    assert page["differences"][0]["system"] == "log-mel" and page["systems"][0]["runs"] == bundles
    assert page["rows"][0]["value"] == result.rows[0].value and "scores" not in page["rows"][0]


def test_two_systems_of_the_same_weights_do_not_differ(task, bundles):
    result = compare({"a": [bundles[1]], "b": [bundles[1]]}, [task], [LOGISTIC])
    (only,) = result.differences
    assert (only.difference, only.low, only.high, only.p, only.p_holm) == (0, 0, 0, 1, 1)
    assert only.over == f"{len(task.test)} test clips"


def test_every_fold_is_tested_once(tones, bundles, tmp_path):
    tasks = open_tasks(tones, cross_validate=True, cache=tmp_path / "kept")
    result = compare({"a": [bundles[0]], "b": ["logmel"]}, tasks, [LOGISTIC])
    (only,), (first, second) = result.differences, result.rows
    assert only.over == f"{len(tones)} test clips" and first.interval == "Student t over 4 folds"
    assert only.difference == pytest.approx(second.value - first.value)


def test_what_fails_is_named_and_the_rest_goes_on(task, bundles, monkeypatch):
    monkeypatch.setattr(LogMelStatistics, "embed_clips", lambda *_, **__: 1 / 0)
    systems = {
        "one": [bundles[0]],
        "gone": ["no/such/run"],
        "statistics": ["logmel"],
        "three": [*bundles[1:], "nowhere"],
    }
    seen = []
    finetune = ("finetune", {"epochs": 1, "batch_size": 6})
    result = compare(systems, [task], [LOGISTIC, finetune], on_row=lambda so_far, row: seen.append(row.system))
    assert [(row.protocol, row.system) for row in result.rows] == [
        (protocol, system) for protocol in ("linear", "finetune") for system in ("one", "three")
    ]
    assert seen == ["one", "one", "three", "three", "three", "three"]
    assert [(one.system, one.run, one.protocol) for one in result.failures] == [
        ("gone", "no/such/run", ""),
        ("statistics", "logmel", "linear:style=logistic"),
        ("statistics", "logmel", "finetune:epochs=1,batch_size=6"),
        ("three", "nowhere", ""),
    ]
    assert "ZeroDivisionError" in result.failures[1].reason and "has none" in result.failures[2].reason
    assert result.rows[1].interval == "Student t over 2 runs"
    assert str(result.failures[0]).startswith("gone (no/such/run): no bundle at")


def test_without_the_first_system_there_is_no_test(task, bundles):
    result = compare({"gone": ["nowhere"], "a": [bundles[0]]}, [task], [LOGISTIC])
    assert len(result.rows) == 1 and not result.differences


def test_nothing_judged_is_an_error_and_wrong_names_come_first(task, monkeypatch):
    with pytest.raises(SoundviewsError, match=r"nothing could be judged: gone .*no bundle"):
        compare({"gone": ["nowhere"]}, [task], [LOGISTIC])
    monkeypatch.setattr(module, "open_model", lambda *_: pytest.fail("opened"))
    with pytest.raises(SoundviewsError, match="did you mean 'qbe'"):
        compare({"a": ["logmel"]}, [task], [LOGISTIC, ("qbee", {})])


def test_clips_unreadable_are_left_out_and_said(tones: Corpus, bundles):
    task = open_tasks(tones)[0]
    broken = tones.clip(int(task.test[0])).path
    open(broken, "wb").close()
    result = compare({"a": [bundles[0]], "b": ["logmel"]}, [task], [LOGISTIC])
    assert list(result.unreadable) == [broken] and "1 unreadable clips were left out" in result.notes
    assert result.differences[0].over == f"{len(task.test) - 1} test clips"


def _loaded(path: str) -> Model:
    from soundviews.model import load

    return load(path)
