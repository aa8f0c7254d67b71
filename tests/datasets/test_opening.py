"""Opening a corpus from whatever names one: folders, and errors that say what was looked for."""

import os

import numpy as np
import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus


def names(corpus) -> list[str]:
    return [os.path.relpath(corpus.clip(i).path, corpus.root) for i in range(len(corpus))]


def test_sub_folders_are_the_classes(tmp_path, write_audio):
    for name in ("dog/1.wav", "dog/deep/2.flac", "cat/3.ogg"):
        write_audio(name)
    corpus = open_corpus(tmp_path)
    assert names(corpus) == ["cat/3.ogg", "dog/1.wav", "dog/deep/2.flac"]
    assert corpus.vocabulary == ["cat", "dog"]
    assert corpus.targets().tolist() == [0, 1, 1]
    assert corpus.column("duration").tolist() == [1.0, 1.0, 1.0]


def test_recordings_beside_sub_folders_have_no_class(tmp_path, write_audio):
    for name in ("a.wav", "cat/1.wav", "dog/1.wav"):
        write_audio(name)
    corpus = open_corpus(tmp_path)
    assert corpus.label_matrix().tolist() == [[False, False], [True, False], [False, True]]


def test_one_sub_folder_is_no_class(tmp_path, write_audio):
    write_audio("audio/a.wav")
    assert open_corpus(tmp_path).vocabulary == []


def test_hidden_files_other_files_and_linked_circles(tmp_path, write_audio):
    write_audio("a/1.WAV")
    write_audio("a/.hidden.wav")
    (tmp_path / "a" / "notes.txt").write_text("x")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert names(open_corpus(tmp_path)) == ["a/1.WAV"]


def test_bad_recordings_are_counted_and_named(tmp_path, write_audio):
    write_audio("good one\n.wav")
    write_audio("鳥.flac")
    write_audio("one.wav", samples=[0.5])
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("words " * 50)
    (tmp_path / "cut.ogg").write_bytes(write_audio("whole.ogg", seconds=5).read_bytes()[:9000])
    corpus = open_corpus(tmp_path)
    assert names(corpus) == ["good one\n.wav", "whole.ogg", "鳥.flac"]
    reasons = {os.path.basename(entry.path): entry.reason for entry in corpus.skipped}
    assert reasons.keys() == {"one.wav", "empty.wav", "text.wav", "cut.ogg"}
    assert reasons["empty.wav"] == "empty file"
    assert reasons["cut.ogg"].startswith("truncated")


def test_a_name_that_is_not_utf8_is_named(tmp_path, write_audio):
    write_audio("a.wav")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.wav", "wb") as file:
        file.write((tmp_path / "a.wav").read_bytes())
    corpus = open_corpus(tmp_path)
    assert names(corpus) == ["a.wav"]
    assert corpus.skipped[0].reason == "its name is not valid UTF-8"


def test_a_folder_that_cannot_be_entered_is_named(tmp_path, write_audio, monkeypatch):
    write_audio("a.wav")
    write_audio("locked/b.wav")
    real = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    corpus = open_corpus(tmp_path)
    assert names(corpus) == ["a.wav"]
    assert [(os.path.basename(e.path), e.reason) for e in corpus.skipped] == [("locked", "permission denied")]


def test_strict_stops_at_the_first(tmp_path, write_audio):
    write_audio("a.wav")
    (tmp_path / "b.wav").touch()
    with pytest.raises(SoundviewsError, match=r"b\.wav: empty file"):
        open_corpus(tmp_path, strict=True)


def test_headers_are_read_once(tmp_path, write_audio, monkeypatch):
    for i in range(4):
        write_audio(f"{i}.wav")
    (tmp_path / "bad.wav").write_text("words")
    first = open_corpus(tmp_path)
    asked = []

    def probe(path):
        asked.append(os.path.basename(path))
        from soundviews.audio.decode import probe

        return probe(path)

    monkeypatch.setattr("soundviews.audio.probing.probe", probe)
    again = open_corpus(tmp_path)
    assert asked == ["bad.wav"]
    assert again.table.equals(first.table)
    assert again.skipped == first.skipped
    write_audio("2.wav", seconds=2.0)
    write_audio("9.wav", seconds=3.0)
    (tmp_path / "0.wav").unlink()
    (tmp_path / "bad.wav").unlink()
    asked.clear()
    changed = open_corpus(tmp_path)
    assert sorted(asked) == ["2.wav", "9.wav"]
    assert changed.column("duration").tolist() == [1.0, 2.0, 1.0, 3.0]
    assert changed.fingerprint != first.fingerprint


def test_nothing_there_says_what_was_looked_for(tmp_path):
    with pytest.raises(SoundviewsError, match=r"no recordings in .*\*\.flac"):
        open_corpus(tmp_path)
    (tmp_path / "a.wav").touch()
    with pytest.raises(SoundviewsError, match=r"none of the 1 recordings .* \(a\.wav: empty file\)"):
        open_corpus(tmp_path)
    with pytest.raises(SoundviewsError, match=r"no corpus at .*looked for a folder or a manifest"):
        open_corpus(tmp_path / "nowhere")
    with pytest.raises(SoundviewsError, match=r"not one of the recordings could be read.*a\.wav: empty file"):
        open_corpus(tmp_path / "a.wav")
    with pytest.raises(SoundviewsError, match="no recordings are named"):
        open_corpus([])
    for samples in (np.zeros(16000), None):
        with pytest.raises(SoundviewsError, match=r"named by a path, .* samples are for Model\.embed"):
            open_corpus(samples)


def test_a_recording_by_itself(tmp_path, write_audio, monkeypatch):
    write_audio("day/a.wav", seconds=2.0)
    corpus = open_corpus(tmp_path / "day" / "a.wav")
    assert names(corpus) == ["a.wav"] and corpus.root == str(tmp_path / "day")
    assert corpus.column("duration").tolist() == [2.0] and corpus.vocabulary == []
    monkeypatch.chdir(tmp_path)
    assert open_corpus("day/a.wav").fingerprint == corpus.fingerprint
    assert open_corpus(corpus) is corpus


def test_several_become_one_corpus(tmp_path, write_audio):
    for name in ("farm/dog/1.wav", "farm/cat/2.wav", "more/3.wav", "more/4.wav", "listed/5.wav"):
        write_audio(name)
    (tmp_path / "more/bad.wav").write_text("words")
    (tmp_path / "listed/list.csv").write_text("path,label,end\n5.wav,bird;dog,0.5\ngone.wav,owl,\n")
    more = [tmp_path / "more" / name for name in ("4.wav", "bad.wav", "3.wav")]
    corpus = open_corpus([*more, str(tmp_path / "farm"), open_corpus(tmp_path / "listed" / "list.csv")])
    assert corpus.root == str(tmp_path)
    assert names(corpus) == ["more/4.wav", "more/3.wav", "farm/cat/2.wav", "farm/dog/1.wav", "listed/5.wav"]
    assert corpus.vocabulary == ["bird", "cat", "dog", "owl"]
    assert [[corpus.vocabulary[i] for i in corpus.clip(n).labels] for n in range(5)] == [
        [],
        [],
        ["cat"],
        ["dog"],
        ["bird", "dog"],
    ]
    assert corpus.clip(4).end == 0.5
    assert [os.path.basename(entry.path) for entry in corpus.skipped] == ["bad.wav", "gone.wav"]
    with pytest.raises(SoundviewsError, match=r"bad\.wav"):
        open_corpus(more, strict=True)


def test_what_is_named_twice_is_there_once(tmp_path, write_audio):
    for name in ("a/1.wav", "a/2.wav", "b/3.wav"):
        write_audio(name)
    corpus = open_corpus([tmp_path / "a" / "2.wav", tmp_path, tmp_path / "a"])
    assert names(corpus) == ["a/2.wav", "a/1.wav", "b/3.wav"]


def test_a_single_file_whose_name_is_not_utf8_is_named(tmp_path, write_audio):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
    with open(path, "wb") as file:
        file.write(write_audio("a.wav").read_bytes())
    corpus = open_corpus([path, tmp_path / "a.wav"])
    assert names(corpus) == ["a.wav"] and corpus.skipped[0].reason == "its name is not valid UTF-8"


def test_isolated_sources_of_scenes_are_no_recordings_of_theirs(tmp_path):
    from soundviews.scenes.folder import SceneOptions, write_scenes

    write_scenes(tmp_path / "scenes", SceneOptions(2, min_seconds=1, max_seconds=1, sample_rate=8000))
    assert len(list(tmp_path.rglob("*.flac"))) > 2
    assert len(open_corpus(tmp_path / "scenes")) == len(open_corpus([tmp_path / "scenes"])) == 2


def test_esc50_by_its_layout(esc50_root):
    corpus = open_corpus(esc50_root)
    assert len(corpus.vocabulary) == 50
    assert corpus.single_label
    assert len(corpus.where(folds=[1])) == 400
    assert corpus.vocabulary[corpus.clip(0).labels[0]] == "dog"
