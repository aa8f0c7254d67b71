"""Kept clips: what comes back is what was decoded, whatever happens to the processes and the disk."""

import errno
import multiprocessing
import os
import pickle
import signal
import time
from contextlib import nullcontext

import numpy as np
import pytest

from soundviews.audio import store as store_module
from soundviews.audio.corpus import Corpus
from soundviews.audio.decode import read
from soundviews.audio.store import ClipStore
from soundviews.core.errors import UnreadableClip


@pytest.fixture
def corpus(tmp_path, write_audio) -> Corpus:
    names = [write_audio(f"{i}.wav", seconds=0.5 + i / 10, seed=i).name for i in range(6)]
    starts, ends = [0.0, 0.1, 0.0, 0.2, 0.0, 0.0], [None, 0.4, 0.5, None, None, 60.0]
    return Corpus.from_columns(tmp_path, names, starts, ends)


def decoded(corpus: Corpus, index: int, rate: int = 8000) -> np.ndarray:
    clip = corpus.clip(index)
    return read(clip.path, clip.start, clip.duration, rate)


def assert_same_clips(store: ClipStore, corpus: Corpus) -> None:
    for i in range(len(corpus)):
        expected = decoded(corpus, i)
        assert store[i].dtype == np.float32
        assert store[i].shape == expected.shape
        assert np.abs(store[i] - expected).max() <= np.abs(expected).max() / 65000


def test_clips_come_back_as_decoded(corpus):
    store = ClipStore(corpus, 8000)
    assert_same_clips(store, corpus)
    assert_same_clips(store, corpus)


def test_the_second_time_reads_no_recording(corpus, monkeypatch):
    first = [ClipStore(corpus, 8000)[i] for i in range(6)]

    def refuse(*_args, **_options):
        raise AssertionError("decoded again")

    monkeypatch.setattr("soundviews.audio.corpus.read", refuse)
    again = ClipStore(corpus, 8000)
    for i in range(6):
        np.testing.assert_array_equal(again[i], first[i])


def test_other_rates_and_changed_recordings_are_kept_apart(corpus, write_audio):
    first = ClipStore(corpus, 8000)
    assert ClipStore(corpus, 16000).directory != first.directory
    before = first[0]
    write_audio("0.wav", seconds=0.5, seed=99)
    changed = ClipStore(corpus.select(np.arange(6)), 8000)
    assert not np.array_equal(changed[0], before)


def test_nothing_is_kept_unless_asked(corpus, isolated_cache):
    store = ClipStore(corpus, 8000, keep=False)
    np.testing.assert_array_equal(store[1], decoded(corpus, 1))
    assert list(isolated_cache.iterdir()) == []


def test_faint_clips_keep_their_detail(tmp_path, write_audio):
    faint = 1e-4 * np.random.default_rng(0).standard_normal(8000)
    name = write_audio("faint.wav", samples=faint, sample_rate=8000, subtype="FLOAT").name
    store = ClipStore(Corpus.from_columns(tmp_path, [name]), 8000)
    assert np.abs(store[0] - faint).max() < 1e-8


def test_unreadable_clips_are_named_every_time(tmp_path, write_audio):
    write_audio("good.wav")
    write_audio("silent.wav", samples=np.zeros(100))
    (tmp_path / "text.wav").write_text("words")
    store = ClipStore(Corpus.from_columns(tmp_path, ["text.wav", "good.wav", "silent.wav"]), 8000)
    for _ in range(2):
        for index in (0, 2):
            with pytest.raises(UnreadableClip):
                store[index]
    assert len(store[1]) == 8000
    assert [os.path.basename(entry.path) for entry in store.skipped()] == ["text.wav", "silent.wav"]
    assert store.skipped()[1].reason == "all samples are zero"


def test_a_copy_in_another_process_shares_what_is_kept_and_skipped(corpus, tmp_path, monkeypatch):
    (tmp_path / "0.wav").write_text("words")
    store = ClipStore(corpus, 8000)
    copy = pickle.loads(pickle.dumps(store))
    with pytest.raises(UnreadableClip):
        copy[0]
    kept = copy[1]
    monkeypatch.setattr("soundviews.audio.corpus.read", None)
    np.testing.assert_array_equal(store[1], kept)
    assert len(store.skipped()) == 1


def test_a_torn_clip_is_decoded_again(corpus):
    store = ClipStore(corpus, 8000)
    expected = store[2]
    with open(store.directory / "samples.i16", "r+b") as file:
        file.seek(int(store._offsets[2]) * 2 + 100)
        file.write(b"\0" * 50)
    np.testing.assert_array_equal(store[2], expected)
    np.testing.assert_array_equal(ClipStore(corpus, 8000)[2], expected)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("places.npy", lambda whole: b""),
        ("places.npy", lambda whole: whole[:-9]),
        ("places.npy", lambda whole: b"words" * 40),
        ("places.npy", lambda whole: whole[:-8] + b"\xff" * 8),
        ("clips.rec", lambda whole: b""),
        ("clips.rec", lambda whole: whole[:-20]),
        ("samples.i16", lambda whole: whole[: len(whole) // 2]),
        ("samples.i16", lambda whole: b""),
    ],
)
def test_what_is_damaged_is_made_anew(corpus, name, damage):
    store = ClipStore(corpus, 8000)
    clips = [store[index] for index in range(6)]
    file = store.directory / name
    whole = file.read_bytes()
    file.unlink()
    file.write_bytes(damage(whole))
    with pytest.warns(UserWarning, match="places.npy is damaged") if name == "places.npy" else nullcontext():
        again = ClipStore(corpus, 8000)
    for index in range(6):
        np.testing.assert_array_equal(again[index], clips[index])
    assert len(file.read_bytes()) == len(whole)


def test_a_full_disk_stops_the_keeping_and_nothing_else(corpus, monkeypatch):
    store = ClipStore(corpus, 8000)
    store[0]

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module.os, "pwrite", full)
    with pytest.warns(UserWarning, match="no longer kept.*No space left") as warned:
        assert_same_clips(store, corpus)
    assert len(warned) == 1


def test_a_nearly_full_disk_is_left_alone(corpus, monkeypatch):
    monkeypatch.setattr(store_module, "_LEAVE_FREE_BYTES", 1 << 62)
    with pytest.warns(UserWarning, match="less than 1 GiB"):
        assert_same_clips(ClipStore(corpus, 8000), corpus)


def test_a_cache_that_cannot_be_written(corpus, tmp_path, monkeypatch):
    corpus = corpus.with_durations()
    (tmp_path / "file").touch()
    monkeypatch.setenv("SOUNDVIEWS_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="no longer kept"):
        store = ClipStore(corpus, 8000)
    assert_same_clips(store, corpus)


def _fill_forever(store: ClipStore) -> None:
    while True:
        for i in range(len(store)):
            store[i]
            os.pwrite(store._files()[1], b"\0" * 16, i * 16)


def test_writers_killed_at_any_point_leave_whole_clips(corpus):
    store = ClipStore(corpus, 8000)
    context = multiprocessing.get_context("fork")
    for delay in (0.01, 0.03, 0.05):
        writers = [context.Process(target=_fill_forever, args=(store,)) for _ in range(2)]
        for writer in writers:
            writer.start()
        time.sleep(delay)
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
        assert_same_clips(ClipStore(corpus, 8000), corpus)
