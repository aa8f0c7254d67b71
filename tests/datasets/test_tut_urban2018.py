"""TUT Urban Acoustic Scenes 2018: the official fold, and tables that contradict each other."""

import os

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.origin import published_differences
from soundviews.datasets.tut_urban2018 import TutUrban2018

TRAIN = {"audio/airport-barcelona-0-0-a.wav": "airport", "audio/tram-vienna-9-300-a.wav": "tram"}
TEST = {"audio/airport-paris-3-100-a.wav": "airport"}


@pytest.fixture
def lookalike(tmp_path):
    (tmp_path / "audio").mkdir()
    (tmp_path / "evaluation_setup").mkdir()
    rows = [f"{path}\t{scene}\tbarcelona-0\ta\n" for path, scene in (TRAIN | TEST).items()]
    (tmp_path / "meta.csv").write_text("filename\tscene_label\tidentifier\tsource_label\n" + "".join(rows))
    for name, clips in (("fold1_train.txt", TRAIN), ("fold1_evaluate.txt", TEST)):
        lines = [f"{path}\t{scene}\n" for path, scene in clips.items()]
        (tmp_path / "evaluation_setup" / name).write_text("".join(lines))
    for path in TRAIN | TEST:
        (tmp_path / path).touch()
    return tmp_path


def test_reads_the_official_fold(lookalike):
    corpus = open_corpus(lookalike)
    clips = [corpus.clip(i) for i in range(len(corpus))]
    assert [clip.path for clip in clips] == [str(lookalike / path) for path in TRAIN | TEST]
    assert [clip.split for clip in clips] == ["train", "train", "test"]
    assert corpus.vocabulary == ["airport", "tram"] and corpus.targets().tolist() == [0, 1, 0]


def test_a_header_in_the_fold_is_no_clip(lookalike):
    table = lookalike / "evaluation_setup" / "fold1_evaluate.txt"
    table.write_text("filename\tscene_label\n" + table.read_text())
    assert len(open_corpus(lookalike)) == 3


def test_missing_clips_are_named(lookalike):
    (lookalike / "audio/tram-vienna-9-300-a.wav").unlink()
    corpus = open_corpus(lookalike)
    assert [skip.path for skip in corpus.skipped] == [str(lookalike / "audio/tram-vienna-9-300-a.wav")]


@pytest.mark.parametrize("scene", ["bus", ""])
def test_tables_that_contradict_each_other_are_an_error(lookalike, scene):
    (lookalike / "evaluation_setup" / "fold1_evaluate.txt").write_text(f"audio/airport-paris-3-100-a.wav\t{scene}\n")
    with pytest.raises(SoundviewsError, match=r"fold1_evaluate\.txt, line 1: .*meta\.csv says 'airport'"):
        open_corpus(lookalike)


def test_the_real_thing():
    if "SOUNDVIEWS_TUT_URBAN2018" not in os.environ:
        pytest.skip("TUT Urban 2018 is not at hand: set SOUNDVIEWS_TUT_URBAN2018 to the folder that holds meta.csv")
    corpus = open_corpus(os.environ["SOUNDVIEWS_TUT_URBAN2018"])
    assert published_differences(corpus, TutUrban2018.published) == []
