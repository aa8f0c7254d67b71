"""FUSS's layout, and the sources of its mixtures and of the built-in scenes."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.datasets.fuss import make_lookalike
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.sources import read_sources, source_files
from soundviews.scenes.folder import SceneOptions, write_scenes


@pytest.fixture
def fuss(tmp_path):
    return make_lookalike(tmp_path / "ssdata", examples=2)


def test_reads_the_official_layout(fuss):
    corpus = open_corpus(fuss)
    clips = [corpus.clip(row) for row in range(len(corpus))]
    names = [(clip.split, Path(clip.path).relative_to(fuss).as_posix()) for clip in clips]
    assert names == [
        (split, f"{split}/example{number:05d}.wav") for split in ("train", "validation", "eval") for number in (0, 1)
    ]
    assert not corpus.vocabulary and not corpus.skipped


def test_one_split_alone_is_a_corpus_too(fuss):
    for split in ("train", "validation"):
        (fuss / f"{split}_example_list.txt").unlink()
    assert open_corpus(fuss).column("split").tolist() == ["eval", "eval"]


def test_missing_mixtures_are_named_and_none_is_an_error(fuss):
    (fuss / "eval" / "example00001.wav").unlink()
    assert [skip.path for skip in open_corpus(fuss).skipped] == [str(fuss / "eval" / "example00001.wav")]
    for file in fuss.glob("*/*.wav"):
        file.unlink()
    with pytest.raises(SoundviewsError, match=r"none of the 6 recordings that train_example_list\.txt"):
        open_corpus(fuss)


def test_a_list_without_sources_is_an_error(fuss):
    (fuss / "eval_example_list.txt").write_text("eval/example00000.wav\n")
    with pytest.raises(SoundviewsError, match=r"eval_example_list\.txt, line 1"):
        open_corpus(fuss)


def test_sources_come_in_the_order_of_the_list_and_sum_to_the_mixture(fuss):
    lines = (fuss / "train_example_list.txt").read_text().splitlines()
    corpus = open_corpus(fuss)
    for row, line in enumerate(lines):
        mixture, *files = line.split("\t")
        assert [str(file) for file in source_files(fuss / mixture)] == [str(fuss / file) for file in files]
        sources = read_sources(corpus.clip(row), 16000)
        expected = np.stack([soundfile.read(fuss / file, dtype="float32")[0] for file in files])
        np.testing.assert_array_equal(sources, expected)
        np.testing.assert_array_equal(sources.sum(0), soundfile.read(fuss / mixture, dtype="float32")[0])


def test_a_silent_background_is_a_row_of_zeros(fuss):
    clip = open_corpus(fuss).where(split="eval").clip(0)
    sources = read_sources(clip, 16000)
    assert not sources[0].any() and all(source.any() for source in sources[1:])


def test_sources_of_a_stretch_at_another_rate(fuss):
    clip = open_corpus(fuss).clip(0)._replace(start=0.25, end=0.75)
    assert read_sources(clip, 8000).shape == (len(source_files(clip.path)), 4000)


def test_sources_of_unequal_length_end_in_zeros(fuss):
    clip = open_corpus(fuss).clip(0)
    file = source_files(clip.path)[1]
    samples, rate = soundfile.read(file)
    soundfile.write(file, samples[:-3], rate)
    sources = read_sources(clip, 16000)
    assert sources.shape[1] == 16000 and not sources[1, -3:].any()


def test_scenes_have_their_background_first(tmp_path):
    corpus = write_scenes(tmp_path / "scenes", SceneOptions(clips=3, min_seconds=1, max_seconds=1))
    for row in range(3):
        clip = corpus.clip(row)
        files = source_files(clip.path)
        assert files[0].name == "0_background.flac" and len(files) == 1 + len(clip.labels)
        mixture, _ = soundfile.read(clip.path, dtype="float32")
        np.testing.assert_array_equal(read_sources(clip, 16000).sum(0), mixture)


def test_unknown_sources_say_what_was_looked_for(write_tone, tmp_path):
    write_tone("audio/a.wav", seconds=0.1)
    clip = open_corpus(tmp_path / "audio").clip(0)
    assert source_files(clip.path) == []
    with pytest.raises(SoundviewsError, match=r"a_sources and .*sources/a$"):
        read_sources(clip, 16000)


def test_a_broken_source_makes_the_clip_unreadable(fuss):
    clip = open_corpus(fuss).clip(0)
    source_files(clip.path)[0].write_bytes(b"no audio")
    with pytest.raises(UnreadableClip):
        read_sources(clip, 16000)


def test_the_real_thing():
    if "SOUNDVIEWS_FUSS" not in os.environ:
        pytest.skip("FUSS is not at hand: set SOUNDVIEWS_FUSS to ssdata or ssdata_reverb")
    corpus = open_corpus(os.environ["SOUNDVIEWS_FUSS"])
    splits, counts = np.unique(corpus.column("split"), return_counts=True)
    assert dict(zip(splits, counts, strict=True)) == {"train": 20000, "validation": 1000, "eval": 1000}
    assert not corpus.skipped
    for row in range(0, len(corpus), 500):
        sources = read_sources(corpus.clip(row), 16000)
        assert 1 <= len(sources) <= 4 and sources.shape[1] == 160000
