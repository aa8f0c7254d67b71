"""Every protocol by name; rows, seeds, folds and baselines."""

import json

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation import evaluate, open_tasks
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.intervals import student_t
from soundviews.evaluation.score import protocols

QUICK = {
    "knn": {"k": 5},
    "linear": {"epochs": 5},
    "random": {"epochs": 5},
    "finetune": {"epochs": 1, "batch_size": 6},
    "scratch": {"epochs": 1, "batch_size": 6},
    "qbe": {"draws": 2},
    "retrieval": {},
    "shallow": {"rounds": 2},
    "invariance": {"only": "noise 20 dB+gain -6 dB", "clips": 6},
}


@pytest.mark.parametrize("name", protocols.names())
def test_every_protocol_judges(tones, tiny_model, name):
    result = evaluate(tiny_model, open_tasks(tones), [(name, QUICK[name])])
    row = result.rows[0]
    assert row.low <= row.value <= row.high <= 1
    expected = row.options["only"].split("+") if name == "invariance" else ["high", "low", "middle"]
    assert sorted(row.per_class) == sorted(expected)
    assert row.value == pytest.approx(np.mean(list(row.per_class.values())))


def test_tones_are_told_apart_by_the_statistics(tones):
    result = evaluate(LogMelStatistics(8000), open_tasks(tones), [("knn", {"k": 1}), ("linear", {"style": "cola"})])
    assert [row.value for row in result.rows] == [1.0, 1.0]


def test_baselines_and_seeds(tones, tiny_model, tmp_path):
    task = open_tasks(tones, cache=tmp_path / "kept")[0]
    requests = [("knn", {"k": 3}), ("finetune", {"epochs": 1, "batch_size": 6, "lr": 0.001})]
    result = evaluate(tiny_model, [task], requests, seeds=[0, 1, 2], baselines=True)
    assert [(row.protocol, row.system, len(row.runs)) for row in result.rows] == [
        ("knn", "tiny", 1),  # nothing in it depends on the seed
        ("knn", "log-mel statistics", 1),
        ("knn", "random encoder", 3),
        ("finetune", "tiny", 3),
        ("scratch", "from scratch", 3),
    ]
    random = result.rows[2]
    expected = student_t([run["accuracy"] for run in random.runs], "3 seeds")
    assert (random.low, random.high, random.interval) == tuple(expected)
    assert result.rows[3].details["lr"] == 0.001 and result.rows[4].details["lr"] == 0.1


def test_f1_is_averaged_and_confusions_add_up_over_the_runs(tones, tiny_model, tmp_path):
    tasks = open_tasks(tones, cross_validate=True)
    result = evaluate(tiny_model, tasks, [("linear", {"style": "acl", "epochs": 2}), ("qbe", {})], seeds=[0, 1])
    row, other = result.rows
    judged = [score.judged for seed in row.scores for score in seed]
    each = [f1_score(one.truth, one.predicted, average=None, labels=range(3), zero_division=0) for one in judged]
    assert result.classes == ["high", "low", "middle"]
    assert [row.f1[name] for name in result.classes] == pytest.approx(np.mean(each, axis=0).tolist())
    expected = sum(confusion_matrix(one.truth, one.predicted, labels=range(3)) for one in judged)
    assert row.confusion == expected.tolist() and np.sum(row.confusion) == 2 * 24
    assert other.f1 == {} and other.confusion is None
    result.save(tmp_path / "evaluation.json")
    saved = json.loads((tmp_path / "evaluation.json").read_text())["rows"][0]
    assert saved["confusion"] == row.confusion and "scores" not in saved
    assert saved["predicted"] == row.predicted and other.predicted == []


def test_the_test_clips_are_kept_with_the_class_that_each_was_taken_for(tones, tmp_path):
    tasks = open_tasks(tones, cross_validate=True)
    open(tones.clip(0).path, "wb").close()
    result = evaluate(LogMelStatistics(8000), tasks, [("knn", {"k": 1}), ("qbe", {})])
    assert [clip.path for clip in result.clips] == [tones.clip(row).path for row in range(len(tones))]
    assert [clip.labels for clip in result.clips] == [(tones.vocabulary[label],) for label in tones.targets()]
    row = result.rows[0]
    assert row.predicted[0] is None  # it cannot be read
    confusion = np.zeros((3, 3), int)
    for clip, taken in zip(result.clips[1:], row.predicted[1:], strict=True):
        confusion[result.classes.index(clip.labels[0]), result.classes.index(taken)] += 1
    assert confusion.tolist() == row.confusion
    result.save(tmp_path / "evaluation.json")
    saved = json.loads((tmp_path / "evaluation.json").read_text())["clips"][0]
    assert saved == {"path": tones.clip(0).path, "start": 0.0, "end": None, "labels": ["high"]}


def test_a_note_of_several_rows_is_said_once(tones, tiny_model):
    requests = [("knn", {"k": 99}), ("knn", {"k": 99, "space": "h"})]
    notes = evaluate(tiny_model, open_tasks(tones), requests, baselines=True).notes
    assert [note.partition(": k = 99 is more than")[0] for note in notes] == [
        "knn:k=99, tiny, random encoder; knn:k=99,space=h, tiny, random encoder",
        "knn:k=99, log-mel statistics; knn:k=99,space=h, log-mel statistics",  # it has fewer patches
    ]


@pytest.mark.parametrize("lacking", ["train", "test"])
def test_a_class_that_a_part_lacks_is_noted_and_absent_or_nought(tones, tiny_model, lacking):
    task = open_tasks(tones)[0]
    clips = getattr(task, lacking)
    setattr(task, lacking, clips[tones.targets()[clips] != 1])
    result = evaluate(tiny_model, [task], [("linear", {"style": "acl", "epochs": 2})])
    row = result.rows[0]
    if lacking == "train":
        assert "classes without train clips (nothing can learn them): low" in result.notes
        assert row.per_class["low"] < 1 and "low" in row.f1
    else:
        assert "classes without test clips (nothing is said of them): low" in result.notes
        assert "low" not in row.per_class and "low" not in row.f1
    assert row.value == pytest.approx(np.mean(list(row.per_class.values())))
    assert row.metrics["macro_f1"] == pytest.approx(np.mean(list(row.f1.values())))


def test_a_corpus_of_one_class_is_refused(tones, tiny_model):
    corpus = tones.select(tones.targets() == 1)
    corpus = Corpus.from_columns("/", [corpus.clip(row).path for row in range(len(corpus))], labels=[["low"]] * 8)
    for protocol in ("linear", "finetune", "scratch", "random", "knn", "shallow"):
        with pytest.raises(SoundviewsError, match="at least two classes"):
            evaluate(tiny_model, open_tasks(corpus), [(protocol, {})])


def test_cross_validation_averages_the_folds(tones, tiny_model, tmp_path):
    tasks = open_tasks(tones, cross_validate=True, cache=tmp_path / "kept")
    row = evaluate(tiny_model, tasks, [("qbe", {})]).rows[0]
    assert len(row.runs) == 4 and row.interval == "Student t over 4 folds"
    assert row.value == pytest.approx(np.mean([run["mAP"] for run in row.runs]))
    assert len(list((tmp_path / "kept").iterdir())) == 1  # embedded once for all folds


def test_saved_as_json_with_what_was_unreadable(tones, tiny_model, tmp_path):
    task = open_tasks(tones)[0]
    broken = task.corpus.clip(task.test[0]).path
    open(broken, "wb").close()
    result = evaluate(tiny_model, [task], [("qbe", {})], data="tones")
    assert "1 unreadable clips were left out" in result.notes
    result.save(tmp_path / "evaluation.json")
    page = json.loads((tmp_path / "evaluation.json").read_text())
    assert list(page["unreadable"]) == [broken]
    assert page["rows"][0]["metrics"]["mAP"] == result.rows[0].value


def test_several_labels_are_refused_where_one_is_needed(tones, tiny_model, tmp_path):
    names = [["a", "b"] if i % 2 else ["a"] for i in range(len(tones))]
    paths = [tones.clip(i).path for i in range(len(tones))]
    corpus = Corpus.from_columns(tmp_path, paths, labels=names)
    with pytest.raises(SoundviewsError, match="exactly one label"):
        evaluate(tiny_model, open_tasks(corpus), [("knn", {})])


@pytest.mark.parametrize(
    ("request_", "message"), [(("kn", {}), "did you mean 'knn'"), (("knn", {"kk": 3}), "has no option 'kk'")]
)
def test_unknown_names_fail_before_anything_runs(tones, tiny_model, request_, message):
    tiny_model.embed_clips = None
    with pytest.raises(SoundviewsError, match=message):
        evaluate(tiny_model, open_tasks(tones), [("qbe", {}), request_])


def test_a_missing_part_is_named(tones, tiny_model):
    with pytest.raises(SoundviewsError, match="give train_folds= or train_split="):
        evaluate(tiny_model, open_tasks(tones, test_split="test"), [("linear", {})])
