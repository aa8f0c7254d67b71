"""DCASE 2018 birdsong: three tables, a split of each by itself, and labels that make no sense."""

import os
from collections import Counter

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.dcase2018_birdsong import TABLES, Dcase2018Birdsong
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.origin import published_differences

SETS = dict(zip(("ff1010bird", "warblrb10k", "BirdVox-DCASE-20k"), TABLES, strict=True))


@pytest.fixture
def lookalike(tmp_path):
    """Of each dataset ten clips with a bird and five without."""
    for dataset, table in SETS.items():
        (tmp_path / dataset / "wav").mkdir(parents=True)
        items = [(f"{dataset[:2]}-{number}", int(number < 10)) for number in range(15)]
        rows = [f"{item},{dataset},{bird}\n" for item, bird in items]
        (tmp_path / table).write_text("itemid,datasetid,hasbird\n" + "".join(rows))
        for item, _ in items:
            (tmp_path / dataset / "wav" / f"{item}.wav").touch()
    return tmp_path


def test_each_dataset_is_divided_by_itself(lookalike):
    corpus = open_corpus(lookalike)
    clips = [corpus.clip(i) for i in range(len(corpus))]
    assert corpus.vocabulary == ["no bird", "bird"] and corpus.single_label and len(clips) == 45
    counts = Counter((clip.path.split("/")[-3], clip.labels[0], clip.split) for clip in clips)
    assert counts == {
        (dataset, label, split): number
        for dataset in SETS
        for label, split, number in ((1, "train", 8), (1, "test", 2), (0, "train", 4), (0, "test", 1))
    }


def test_one_dataset_alone_keeps_its_split(lookalike):
    before = {clip.path: clip.split for clip in map(open_corpus(lookalike).clip, range(45))}
    for dataset in ("warblrb10k", "BirdVox-DCASE-20k"):
        (lookalike / SETS[dataset]).unlink()
    gone = lookalike / "ff1010bird" / "wav" / "ff-3.wav"
    gone.unlink()
    corpus = open_corpus(lookalike)
    assert len(corpus) == 14 and [skip.path for skip in corpus.skipped] == [str(gone)]
    assert all(before[clip.path] == clip.split for clip in map(corpus.clip, range(14)))


def test_a_label_that_makes_no_sense_is_named(lookalike):
    with (lookalike / TABLES[1]).open("a") as file:
        file.write("w-99,warblrb10k,maybe\n")
    with pytest.raises(SoundviewsError, match=r"warblrb10k_public.*, line 17: hasbird is 'maybe'"):
        open_corpus(lookalike)


def test_the_real_thing():
    if "SOUNDVIEWS_BIRDSONG" not in os.environ:
        pytest.skip("DCASE 2018 birdsong is not at hand: set SOUNDVIEWS_BIRDSONG to the folder that holds its tables")
    assert published_differences(open_corpus(os.environ["SOUNDVIEWS_BIRDSONG"]), Dcase2018Birdsong.published) == []
