"""LibriSpeech speakers: the layout, what is missing, and a split of every speaker's utterances."""

import os
from collections import Counter

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.librispeech import LibriSpeech
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.origin import published_differences


@pytest.fixture
def lookalike(tmp_path):
    """Three speakers of ten utterances in two chapters."""
    (tmp_path / "SPEAKERS.TXT").write_text("; ID | SEX | SUBSET\n")
    for speaker in ("19", "103", "8975"):
        for chapter, count in (("198", 6), ("1240", 4)):
            folder = tmp_path / "train-clean-100" / speaker / chapter
            folder.mkdir(parents=True)
            names = [f"{speaker}-{chapter}-{number:04d}" for number in range(count)]
            (folder / f"{speaker}-{chapter}.trans.txt").write_text("".join(f"{name} SOME WORDS\n" for name in names))
            for name in names:
                (folder / f"{name}.flac").touch()
    return tmp_path


def test_speakers_are_classes_and_each_is_divided(lookalike):
    corpus = open_corpus(lookalike)
    assert corpus.vocabulary == ["19", "103", "8975"] and len(corpus) == 30 and not corpus.skipped
    clips = [corpus.clip(i) for i in range(30)]
    assert all(clip.path.split("/")[-3] == corpus.vocabulary[clip.labels[0]] for clip in clips)
    counts = Counter((clip.labels[0], clip.split) for clip in clips)
    assert counts == {(speaker, split): n for speaker in range(3) for split, n in (("train", 8), ("test", 2))}


def test_a_missing_utterance_is_named_and_moves_no_other(lookalike):
    before = {clip.path: clip.split for clip in map(open_corpus(lookalike).clip, range(30))}
    gone = lookalike / "train-clean-100" / "103" / "198" / "103-198-0002.flac"
    gone.unlink()
    corpus = open_corpus(lookalike)
    assert [skip.path for skip in corpus.skipped] == [str(gone)]
    assert all(before[clip.path] == clip.split for clip in map(corpus.clip, range(len(corpus))))


def test_transcripts_that_make_no_sense(lookalike):
    transcript = lookalike / "train-clean-100" / "19" / "198" / "19-198.trans.txt"
    transcript.write_text("19-198-0000 WORDS\n19-198-0001\n")
    with pytest.raises(SoundviewsError, match=r"19-198\.trans\.txt, line 2: expected an utterance's name"):
        open_corpus(lookalike)
    for path in lookalike.glob("*/*/*/*.trans.txt"):
        path.unlink()
    with pytest.raises(SoundviewsError, match=r"has no SPEAKER/CHAPTER"):
        open_corpus(lookalike)


def test_the_real_thing():
    if "SOUNDVIEWS_LIBRISPEECH" not in os.environ:
        pytest.skip("LibriSpeech is not at hand: set SOUNDVIEWS_LIBRISPEECH to the folder that holds train-clean-100/")
    corpus = open_corpus(os.environ["SOUNDVIEWS_LIBRISPEECH"])
    assert published_differences(corpus, LibriSpeech.published) == []
