"""Rows of a comparison are told apart by their names."""

from pathlib import Path

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.systems import parse_systems, read_systems, run_names


def names(*texts: str) -> list[str]:
    return list(parse_systems(texts))


def test_runs_are_called_after_their_directories():
    assert names("runs/one", "runs/two/", "runs/three/bundle", "logmel", "logmel:ssep", "hear:some.module@a/w.pt") == [
        "one",
        "two",
        "three",
        "log-mel statistics",
        "log-mel of ssep",
        "some.module@a/w.pt",
    ]


def test_as_many_directories_as_tell_them_apart():
    assert names("x/a/run", "x/b/run", "other") == ["a/run", "b/run", "other"]
    assert names("a/x/run/bundle", "b/x/run/bundle", "b/y/run") == ["a/x/run", "b/x/run", "y/run"]


def test_names_and_several_pretrainings_are_given():
    assert parse_systems(["mine=runs/0, runs/1,runs/2", "runs/3", "theirs=hear:m@w.pt"]) == {
        "mine": ("runs/0", "runs/1", "runs/2"),
        "3": ("runs/3",),
        "theirs": ("hear:m@w.pt",),
    }


def test_paths_that_exist_are_themselves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("lr=0.1", "one,two"):
        (tmp_path / name).mkdir()
    assert parse_systems(["lr=0.1", "pair=one,two", f"{tmp_path}/lr=0.1"][:2]) == {
        "lr=0.1": ("lr=0.1",),
        "pair": ("one,two",),
    }
    assert parse_systems([f"{tmp_path}/lr=0.2"]) == {"lr=0.2": (f"{tmp_path}/lr=0.2",)}


def test_weights_of_a_hear_module_may_have_any_name(tmp_path):
    (tmp_path / "a,b").mkdir()
    (tmp_path / "a,b/lr=0.1.pt").touch()
    text = f"hear:m@{tmp_path}/a,b/lr=0.1.pt"
    assert list(parse_systems([text, f"mine={text}"]).values()) == [(text,), (text,)]
    assert parse_systems(["hear:m@lr=0.1.pt"]) == {"m@lr=0.1.pt": ("hear:m@lr=0.1.pt",)}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["runs/a,runs/b"], "need a name, as in NAME=runs/a,runs/b"),
        (["mine="], "names no run"),
        (["a=x", "a=y"], "2 systems are called 'a'"),
        (["runs/a", "runs/a"], "given 2 times"),
        (["mine=runs/a,runs/b,runs/a"], "names runs/a twice"),
        (["runs/a", "runs/a/bundle"], "2 systems are called"),
    ],
)
def test_rows_that_could_not_be_told_apart_are_refused(texts, message):
    with pytest.raises(SoundviewsError, match=message):
        parse_systems(texts)


def test_python_names_systems_by_a_mapping_or_a_list():
    model, other = LogMelStatistics(8000), LogMelStatistics(8000)
    assert read_systems({"mine": model, "theirs": "hear:m", "several": ["runs/0", Path("runs/1")]}) == {
        "mine": (model,),
        "theirs": ("hear:m",),
        "several": ("runs/0", Path("runs/1")),
    }
    assert read_systems([Path("runs/a=b,c"), "logmel"]) == {
        "a=b,c": (Path("runs/a=b,c"),),
        "log-mel statistics": ("logmel",),
    }
    assert read_systems([model]) == read_systems(model) == {"log-mel statistics": (model,)}
    assert run_names([model, other, "x"]) == ("log-mel statistics (1)", "log-mel statistics (2)", "x")
    with pytest.raises(SoundviewsError, match=r"given 2 times: name each, as in \{\"NAME\": 'runs/a'\}"):
        read_systems(["runs/a", "runs/a"])
    with pytest.raises(SoundviewsError, match="2 systems are called"):
        read_systems([model, other])
    with pytest.raises(SoundviewsError, match="twice: its interval"):
        read_systems({"mine": [model, model]})
    with pytest.raises(SoundviewsError, match="names no run"):
        read_systems({"mine": []})
