"""What every dataset says of where it comes from, and counts against the published ones."""

import re

import pytest

from soundviews.audio.corpus import Corpus
from soundviews.datasets import datasets
from soundviews.datasets.origin import published_differences

FETCHED = [name for name in datasets.names() if hasattr(datasets.get(name), "origin")]


def test_the_tasks_of_the_papers_say_where_they_come_from():
    assert {"librispeech", "voxceleb1", "voxforge", "nsynth", "tut_urban2018", "dcase2018_birdsong"} <= set(FETCHED)


@pytest.mark.parametrize("name", FETCHED)
def test_origins_are_usable(name):
    origin, published = datasets.get(name).origin, datasets.get(name).published
    assert origin.about and origin.licence and (origin.archives or origin.instructions)
    assert "\n" not in origin.about and len(origin.about) < 100
    for archive in origin.archives:
        assert re.fullmatch(r"https?://[^?]+\.(zip|tar\.gz|tgz|txt|csv|tsv)", archive.url)
        assert re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", archive.checksum)
    assert len({archive.checksum for archive in origin.archives}) == len(origin.archives), "a checksum was copied"
    assert published and all(count > 0 for count in published.values())


def test_differences_are_said_in_words():
    corpus = Corpus.from_columns("/x", ["a", "b", "c"], labels=[["x"], ["y"], ["x"]], splits=["train", "train", "test"])
    assert published_differences(corpus, {"clips": 3, "classes": 2, "train": 2, "test": 1}) == []
    assert published_differences(corpus, {"clips": 4, "classes": 1234, "validation": 5000, "test": 1}) == [
        "3 clips instead of 4",
        "2 classes instead of 1,234",
        "validation has 0 clips instead of 5,000",
    ]
