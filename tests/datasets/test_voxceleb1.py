"""VoxCeleb1: the list of the identification splits, and what is missing."""

import os

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.origin import published_differences
from soundviews.datasets.voxceleb1 import VoxCeleb1

ROWS = {
    "id10001/1zcIwhmdeo4/00001.wav": "1",
    "id10001/7gWzIy6yIIk/00001.wav": "2",
    "id10001/9mQ11vBs1wc/00003.wav": "3",
    "id10270/5r0dWxy17C8/00001.wav": "1",
}


@pytest.fixture
def lookalike(tmp_path):
    (tmp_path / "iden_split.txt").write_text("".join(f"{split} {path}\n" for path, split in ROWS.items()))
    for path in ROWS:
        (tmp_path / "wav" / path).parent.mkdir(parents=True)
        (tmp_path / "wav" / path).touch()
    return tmp_path


def test_reads_the_official_layout(lookalike):
    corpus = open_corpus(lookalike)
    clips = [corpus.clip(i) for i in range(len(corpus))]
    assert [clip.path for clip in clips] == [str(lookalike / "wav" / path) for path in ROWS]
    assert [clip.split for clip in clips] == ["train", "validation", "test", "train"]
    assert corpus.vocabulary == ["id10001", "id10270"] and corpus.targets().tolist() == [0, 0, 0, 1]


def test_missing_recordings_are_named_and_keep_their_class(lookalike):
    gone = lookalike / "wav" / "id10270/5r0dWxy17C8/00001.wav"
    gone.unlink()
    corpus = open_corpus(lookalike)
    assert [skip.path for skip in corpus.skipped] == [str(gone)] and len(corpus.vocabulary) == 2
    for path in (lookalike / "wav").rglob("*.wav"):
        path.unlink()
    with pytest.raises(SoundviewsError, match=r"none of the 4 recordings that .*iden_split\.txt lists"):
        open_corpus(lookalike)


@pytest.mark.parametrize("line", ["4 id10001/x/00001.wav", "1 id10001-x-00001.wav", "1"])
def test_a_line_that_makes_no_sense_is_named(lookalike, line):
    with (lookalike / "iden_split.txt").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(SoundviewsError, match=r"iden_split\.txt, line 5"):
        open_corpus(lookalike)


def test_the_real_thing():
    if "SOUNDVIEWS_VOXCELEB1" not in os.environ:
        pytest.skip("VoxCeleb1 is not at hand: set SOUNDVIEWS_VOXCELEB1 to the folder that holds iden_split.txt")
    assert published_differences(open_corpus(os.environ["SOUNDVIEWS_VOXCELEB1"]), VoxCeleb1.published) == []
