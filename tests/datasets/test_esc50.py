"""ESC-50's layout to a corpus."""

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus

HEADER = "filename,fold,target,category,esc10,src_file,take\n"


def layout(root, rows, files):
    (root / "meta").mkdir()
    (root / "audio").mkdir()
    (root / "meta" / "esc50.csv").write_text(HEADER + "".join(rows))
    for name in files:
        (root / "audio" / name).touch()
    return root


def test_labels_follow_the_official_targets_and_missing_files_are_named(tmp_path):
    rows = ["b.wav,2,0,dog,True,2,A\n", "a.wav,1,1,airplane,False,1,A\n", "c.wav,3,1,airplane,False,3,A\n"]
    corpus = open_corpus(layout(tmp_path, rows, ["a.wav", "b.wav", "stray.wav"]))
    assert corpus.vocabulary == ["dog", "airplane"]
    assert corpus.targets().tolist() == [0, 1]
    assert corpus.column("fold").tolist() == [2, 1]
    assert corpus.clip(0).path == str(tmp_path / "audio" / "b.wav")
    assert [(skip.path, skip.reason) for skip in corpus.skipped] == [
        (str(tmp_path / "audio" / "c.wav"), "no such file")
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a.wav,one,0,dog,True,2,A\n"], "whole numbers"),
        (["a.wav,1\n"], "line 2: 2 fields, the header has 7"),
        (["z.wav,1,0,dog,True,2,A\n"], "none of the 1 recordings"),
    ],
)
def test_a_table_that_makes_no_sense_is_named(tmp_path, rows, message):
    with pytest.raises(SoundviewsError, match=message):
        open_corpus(layout(tmp_path, rows, ["a.wav"]))


def test_a_missing_column_is_named(tmp_path):
    layout(tmp_path, [], [])
    (tmp_path / "meta" / "esc50.csv").write_text("filename,fold,category\n")
    with pytest.raises(SoundviewsError, match="no column 'target'"):
        open_corpus(tmp_path)


def test_the_real_thing(esc50_root):
    corpus = open_corpus(esc50_root)
    targets = corpus.targets()
    assert len(corpus.vocabulary) == 50 and corpus.vocabulary[:2] == ["dog", "rooster"]
    for fold in set(corpus.column("fold").tolist()):
        assert [int((targets[corpus.column("fold") == fold] == c).sum()) for c in range(50)] == [8] * 50
    names = [corpus.clip(i).path.rsplit("-", 1)[1].split(".")[0] for i in range(0, len(corpus), 97)]
    assert names == [str(target) for target in targets[::97]], "the file name ends in the target"
