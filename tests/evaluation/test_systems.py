"""Rows of a comparison are told apart by their names."""

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.systems import System, parse_systems


def names(*texts: str) -> list[str]:
    return [system.name for system in parse_systems(texts)]


def test_runs_are_called_after_their_directories():
    assert names("runs/one", "runs/two/", "runs/three/bundle", "logmel", "hear:some.module@a/w.pt") == [
        "one",
        "two",
        "three",
        "log-mel statistics",
        "some.module@a/w.pt",
    ]


def test_as_many_directories_as_tell_them_apart():
    assert names("x/a/run", "x/b/run", "other") == ["a/run", "b/run", "other"]
    assert names("a/x/run/bundle", "b/x/run/bundle", "b/y/run") == ["a/x/run", "b/x/run", "y/run"]


def test_names_and_several_pretrainings_are_given():
    assert parse_systems(["mine=runs/0, runs/1,runs/2", "runs/3", "theirs=hear:m@w.pt"]) == [
        System("mine", ("runs/0", "runs/1", "runs/2")),
        System("3", ("runs/3",)),
        System("theirs", ("hear:m@w.pt",)),
    ]


def test_paths_that_exist_are_themselves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("lr=0.1", "one,two"):
        (tmp_path / name).mkdir()
    assert parse_systems(["lr=0.1", "pair=one,two", f"{tmp_path}/lr=0.1"][:2]) == [
        System("lr=0.1", ("lr=0.1",)),
        System("pair", ("one,two",)),
    ]
    assert parse_systems([f"{tmp_path}/lr=0.2"]) == [System("lr=0.2", (f"{tmp_path}/lr=0.2",))]


def test_weights_of_a_hear_module_may_have_any_name(tmp_path):
    (tmp_path / "a,b").mkdir()
    (tmp_path / "a,b/lr=0.1.pt").touch()
    text = f"hear:m@{tmp_path}/a,b/lr=0.1.pt"
    assert [system.runs for system in parse_systems([text, f"mine={text}"])] == [(text,), (text,)]
    assert parse_systems(["hear:m@lr=0.1.pt"])[0].runs == ("hear:m@lr=0.1.pt",)


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
