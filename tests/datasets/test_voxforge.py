"""VoxForge: languages, wav and flac, and speakers that are in one split only."""

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.voxforge import VoxForge, _speaker


@pytest.fixture
def lookalike(tmp_path):
    """Two languages; 20 named speakers with two submissions each, one of them in both languages."""
    for number in range(20):
        language, kind = ("de", "flac") if number < 8 else ("en", "wav")
        for submission in (f"speaker{number}-20080504-abc", f"Speaker{number}-20110101-xyz"):
            folder = tmp_path / language / submission / kind
            folder.mkdir(parents=True)
            for sentence in range(3):
                (folder / f"a{sentence:04d}.{kind}").touch()
    (tmp_path / "en" / "speaker0-20090909-two" / "wav").mkdir(parents=True)
    (tmp_path / "en" / "speaker0-20090909-two" / "wav" / "b1.wav").touch()
    return tmp_path


def test_languages_are_classes_and_speakers_are_whole(lookalike):
    corpus = open_corpus(lookalike)
    clips = [corpus.clip(i) for i in range(len(corpus))]
    assert len(clips) == 121 and corpus.vocabulary == ["de", "en"] and not corpus.skipped
    assert all(clip.path.split("/")[-4] == corpus.vocabulary[clip.labels[0]] for clip in clips)
    speakers = {split: {_speaker(c.path.split("/")[-3]) for c in clips if c.split == split} for split in SHARES}
    assert {split: len(names) for split, names in speakers.items()} == SHARES
    assert len(set.union(*speakers.values())) == 20, "a speaker is in two splits"


SHARES = {"train": 14, "validation": 2, "test": 4}


@pytest.mark.parametrize(
    ("submission", "speaker"),
    [
        ("guenter-20140214-afn", "guenter"),
        ("K.Maclean-20090101-1", "k.maclean"),
        ("ara-norskt-20110530-iqz", "ara-norskt"),
        ("anonymous-20081124-vlz", "anonymous-20081124-vlz"),
        ("Anonyme-20081124-vlz", "Anonyme-20081124-vlz"),
        ("rortiz_20090602", "rortiz"),
        ("odd", "odd"),
    ],
)
def test_who_speaks(submission, speaker):
    assert _speaker(submission) == speaker


def test_a_submission_without_recordings_is_skipped(lookalike):
    (lookalike / "it" / "gino-20120101-aaa" / "etc").mkdir(parents=True)
    assert [skip.path for skip in open_corpus(lookalike).skipped] == [str(lookalike / "it" / "gino-20120101-aaa")]
    for path in lookalike.rglob("*.*a*"):
        path.unlink()
    with pytest.raises(SoundviewsError, match=r"has no recording in de, en"):
        VoxForge.read(lookalike)
