"""Embeddings of a corpus: what they equal, that they are kept, and what unreadable clips leave behind."""

from pathlib import Path

import numpy as np
import pytest
import torch

from soundviews.audio.corpus import Corpus
from soundviews.audio.decode import read
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.embeddings import clip_means, embed_corpus


def test_equal_to_each_clip_by_itself(tones, tiny_model):
    result = embed_corpus(tiny_model, tones, batch_size=5)
    for number in (0, 7, len(tones) - 1):
        waveform = read(tones.clip(number).path)
        alone = tiny_model.embed(waveform, 8000).vectors
        # what the loader keeps is int16: one part in 32,768 of the clip's peak
        assert np.abs(result.vectors[result.clip == number] - alone).max() < 1e-3 * np.abs(alone).max()
    assert result.kept.all() and (np.diff(result.clip) >= 0).all()


def test_kept_by_model_corpus_and_space(tones, tiny_model, tmp_path, monkeypatch):
    first = embed_corpus(tiny_model, tones, cache=tmp_path / "kept")
    with monkeypatch.context() as patch:
        patch.setattr(tiny_model, "embed_clips", None)  # nothing is computed again
        again = embed_corpus(tiny_model, tones, cache=tmp_path / "kept")
        assert np.array_equal(first.vectors, again.vectors)
    tiny_model.fingerprint = "another"
    with torch.no_grad():
        tiny_model.encoder.dense.bias.add_(1)
    assert not np.array_equal(embed_corpus(tiny_model, tones, cache=tmp_path / "kept").vectors, first.vectors)
    assert len(list((tmp_path / "kept").iterdir())) == 2


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
