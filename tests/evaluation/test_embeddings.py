"""Embeddings of a corpus: what they equal, that they are kept, and what unreadable clips leave behind."""

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from soundviews.audio.corpus import Corpus
from soundviews.audio.decode import read
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.embeddings import clip_means, embed_corpus
from soundviews.evaluation.vector_file import VectorFile


def test_equal_to_each_clip_by_itself(tones, tiny_model):
    result = embed_corpus(tiny_model, tones, batch_size=5)
    for number in (0, 7, len(tones) - 1):
        waveform = read(tones.clip(number).path)
        alone = tiny_model.embed(waveform, 8000).vectors
        # what the loader keeps is int16: one part in 32,768 of the clip's peak
        assert np.abs(result.vectors[result.clip == number] - alone).max() < 1e-3 * np.abs(alone).max()
        power = [waveform[1600 * i :][:1600].var() for i in range(len(alone))]
        np.testing.assert_allclose(result.power[result.clip == number], power, rtol=1e-3)
    assert result.kept.all() and (np.diff(result.clip) >= 0).all()


def test_kept_by_model_corpus_and_space(tones, tiny_model, tmp_path, monkeypatch):
    first = embed_corpus(tiny_model, tones, cache=tmp_path / "kept")
    with monkeypatch.context() as patch:
        patch.setattr(tiny_model, "embed_clips", None)  # nothing is computed again
        again = embed_corpus(tiny_model, tones, cache=tmp_path / "kept")
        assert np.array_equal(first.vectors, again.vectors) and np.array_equal(first.power, again.power)
    tiny_model.fingerprint = "another"
    with torch.no_grad():
        tiny_model.encoder.dense.bias.add_(1)
    assert not np.array_equal(embed_corpus(tiny_model, tones, cache=tmp_path / "kept").vectors, first.vectors)
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_a_copy_with_other_content_has_embeddings_of_its_own(tones, tiny_model, tmp_path):
    paths = [Path(tones.clip(number).path) for number in range(len(tones))]
    for path in paths:
        copy = tmp_path / "copy" / path.name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes()[:-4000] + bytes(4000))  # the end is silent
        os.utime(copy, (1, 1))
        os.utime(path, (1, 1))
    names = [path.name for path in paths]
    mine, copied = (Corpus.from_columns(folder, names) for folder in (paths[0].parent, tmp_path / "copy"))
    first, second = (embed_corpus(tiny_model, corpus, cache=tmp_path / "kept") for corpus in (mine, copied))
    assert not np.array_equal(first.vectors, second.vectors)
    assert np.array_equal(second.vectors, embed_corpus(tiny_model, copied).vectors)


DAMAGES = {
    "empty clips": ("clips.npz", lambda whole: b""),
    "cut clips": ("clips.npz", lambda whole: whole[: len(whole) // 2]),
    "other clips": ("clips.npz", lambda whole: whole.replace(b"clip", b"klip")),
    "empty vectors": ("vectors.f32", lambda whole: b""),
    "cut vectors": ("vectors.f32", lambda whole: whole[:-4]),
    "zeros": ("vectors.f32", lambda whole: bytes(len(whole))),
    "absent vectors": ("vectors.f32", None),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_damaged_is_named_and_made_anew(tones, tiny_model, tmp_path, name):
    expected = embed_corpus(tiny_model, tones, cache=tmp_path / "kept")
    (folder,) = (tmp_path / "kept").iterdir()
    file, damage = DAMAGES[name]
    whole = (folder / file).read_bytes()
    (folder / file).unlink()
    if damage:
        (folder / file).write_bytes(damage(whole))
    with pytest.warns(UserWarning, match=f"{folder.name} is damaged"):
        again = embed_corpus(tiny_model, tones, cache=tmp_path / "kept")
    assert np.array_equal(again.vectors, expected.vectors) and again.skipped == expected.skipped
    assert (folder / file).read_bytes() == whole or file == "clips.npz"  # which has a date in it


@pytest.mark.parametrize("what", ["a file above", "a file in its place", "a full disk", "a disk that fills up"])
def test_work_goes_on_without_the_cache(tones, tiny_model, tmp_path, monkeypatch, what):
    cache = tmp_path / "kept"
    expected = embed_corpus(tiny_model, tones, cache=cache, batch_size=4)
    (folder,) = cache.iterdir()
    shutil.rmtree(folder)
    write, written = VectorFile._write, []

    def refuse(file, data):
        if len(written) == (2 if what == "a disk that fills up" else 0):
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(data)
        write(file, data)

    if what == "a file above":
        cache.rmdir()
        cache.touch()
    elif what == "a file in its place":
        folder.touch()
    else:
        monkeypatch.setattr(VectorFile, "_write", refuse)
    with pytest.warns(UserWarning, match="is damaged" if what == "a file in its place" else "SOUNDVIEWS_CACHE.*--no-c"):
        again = embed_corpus(tiny_model, tones, cache=cache, batch_size=4)
    assert np.array_equal(again.vectors, expected.vectors) and np.array_equal(again.clip, expected.clip)
    if "disk" in what:
        assert os.listdir(cache) == []
        assert np.array_equal(embed_corpus(tiny_model, tones, batch_size=4).vectors, expected.vectors)  # nor without


def test_what_killed_processes_left_is_removed_in_time(tones, tiny_model, tmp_path):
    for name in (".0123456789abcdef01234567-ab12_xyz", ".0123456789abcdef01234567.0123456789ab", ".other"):
        (tmp_path / "kept" / name).mkdir(parents=True)
        os.utime(tmp_path / "kept" / name, (0, 0))
    embed_corpus(tiny_model, tones, cache=tmp_path / "kept")
    assert [name for name in os.listdir(tmp_path / "kept") if name.startswith(".")] == [".other"]


def test_a_model_without_fingerprint_is_never_kept(tones, tiny_model, tmp_path):
    tiny_model.fingerprint = ""
    embed_corpus(tiny_model, tones, cache=tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_unreadable_clips_are_named(tones, tiny_model, tmp_path):
    broken = Path(tones.clip(3).path)
    broken.write_bytes(b"not audio at all")
    for cache in (None, tmp_path / "kept", tmp_path / "kept"):
        result = embed_corpus(tiny_model, tones, cache=cache)
        assert np.flatnonzero(~result.kept).tolist() == [3]
        assert 3 not in result.clip
        assert [path for path, _ in result.skipped] == [str(broken)]
    with pytest.raises(SoundviewsError):
        embed_corpus(tiny_model, tones, cache=tmp_path / "kept", strict=True)


def test_no_readable_clip_is_an_error(tiny_model, tmp_path):
    (tmp_path / "empty.wav").touch()
    corpus = Corpus.from_columns(tmp_path, [str(tmp_path / "empty.wav")], labels=[["a"]])
    with pytest.raises(SoundviewsError, match="none of the 1 clips is readable"):
        embed_corpus(tiny_model, corpus, cache=tmp_path / "kept")
    assert not list((tmp_path / "kept").iterdir())


def test_clip_means_equal_a_loop():
    rng = np.random.default_rng(0)
    clip, values = np.sort(rng.integers(6, size=30)), rng.standard_normal((30, 3))
    clip[clip == 2] = 3  # clip 2 has no window
    result = clip_means(values, clip, 7)
    for number in range(7):
        own = values[clip == number]
        assert np.allclose(result[number], own.mean(axis=0) if len(own) else 0)


@pytest.mark.parametrize("kept", [True, False])
def test_an_embedding_that_is_not_finite_is_an_error_and_not_kept(tones, tiny_model, tmp_path, kept):
    plain = tiny_model.embed_clips

    def embed_clips(clips, space="h"):
        vectors, row, starts = plain(clips, space)
        return vectors.where((row != 1)[:, None], torch.nan), row, starts

    tiny_model.embed_clips = embed_clips
    with pytest.raises(SoundviewsError, match=r"tiny: the embedding of .*low.*0\.wav is NaN"):
        embed_corpus(tiny_model, tones, cache=tmp_path / "kept" if kept else None)
    assert not kept or not list((tmp_path / "kept").iterdir())
