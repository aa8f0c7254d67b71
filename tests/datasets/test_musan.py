"""MUSAN: classes from its folders, clips of 10 s, a split that keeps recordings whole."""

import os

import numpy as np
import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.musan import SOURCES, Musan
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.origin import published_differences


@pytest.fixture
def musan(tmp_path, write_audio):
    """5 recordings a source, in the folder `musan` of the root; one of each source has 23.5 s."""
    for kind, sources in SOURCES.items():
        for source in sources:
            for number in range(5):
                seconds = 23.5 if number == 0 else 0.2
                write_audio(f"musan/{kind}/{source}/{kind}-{source}-{number:04d}.wav", seconds, 8000, seed=number)
            (tmp_path / f"musan/{kind}/{source}/LICENSE").write_text("free")
    return tmp_path


def test_classes_and_clips_of_up_to_ten_seconds(musan):
    corpus = open_corpus(musan)
    assert corpus.vocabulary == ["music", "noise", "speech"] and corpus.single_label
    clips = [corpus.clip(i) for i in range(len(corpus))]
    assert all(f"/{corpus.vocabulary[clip.labels[0]]}/" in clip.path and os.path.isfile(clip.path) for clip in clips)
    long = [clip for clip in clips if clip.path.endswith("music-fma-0000.wav")]
    assert [(clip.start, clip.end) for clip in long] == [(0.0, 10.0), (10.0, 20.0), (20.0, 23.5)]
    assert len({clip.path for clip in clips}) == 45 and len(clips) == 45 + 2 * 9
    assert published_differences(corpus, Musan.published) == ["45 recordings instead of 2,016"]


def test_the_archive_s_own_folder_gives_the_same(musan):
    inside, outside = open_corpus(musan / "musan"), open_corpus(musan)
    assert inside.column("split").tolist() == outside.column("split").tolist()
    assert inside.clip(7).path == outside.clip(7).path


def test_the_split_is_stratified_and_keeps_recordings_whole(musan):
    corpus = open_corpus(musan)
    paths, split = np.array(corpus.table["path"].to_pylist()), corpus.column("split")
    parts = {name: set(paths[split == name]) for name in ("train", "test")}
    assert not parts["train"] & parts["test"]
    share = {kind: [sum(f"/{kind}/" in path for path in part) for part in parts.values()] for kind in SOURCES}
    assert share == {"music": [20, 5], "noise": [8, 2], "speech": [8, 2]}


def test_a_missing_recording_moves_no_other_class(musan):
    before = open_corpus(musan)
    known = dict(zip(before.table["path"].to_pylist(), before.column("split"), strict=True))
    (musan / "musan/noise/free-sound/noise-free-sound-0003.wav").unlink()
    after = open_corpus(musan)
    moved = [p for p, s in zip(after.table["path"].to_pylist(), after.column("split"), strict=True) if known[p] != s]
    assert all("/noise/" in path for path in moved) and len(set(moved)) <= 1


def test_unreadable_recordings_are_skipped_and_none_is_an_error(musan):
    broken = musan / "musan/speech/us-gov/speech-us-gov-0001.wav"
    broken.write_bytes(b"no audio")
    assert [skip.path for skip in open_corpus(musan).skipped] == [str(broken)]
    for file in (musan / "musan").rglob("*.wav"):
        file.unlink()
    with pytest.raises(SoundviewsError, match="no recordings in music, noise, speech"):
        open_corpus(musan)


def test_folders_called_music_noise_and_speech_are_not_musan(tmp_path, write_audio):
    for kind in SOURCES:
        write_audio(f"{kind}/a.wav", seconds=0.1)
    assert not Musan.matches(tmp_path)


def test_the_real_thing():
    if "SOUNDVIEWS_MUSAN" not in os.environ:
        pytest.skip("MUSAN is not at hand: set SOUNDVIEWS_MUSAN to the folder that holds music/, speech/ and noise/")
    corpus = open_corpus(os.environ["SOUNDVIEWS_MUSAN"])
    assert published_differences(corpus, Musan.published) == []
    kinds = [path.split("/")[-3] for path in set(corpus.table["path"].to_pylist())]
    assert {kind: kinds.count(kind) for kind in SOURCES} == {"music": 660, "noise": 930, "speech": 426}
