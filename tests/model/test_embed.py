"""What embed takes: paths, arrays and tensors of several types; what it refuses; batches of different lengths."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import soundviews as sv
from soundviews.core.errors import SoundviewsError
from soundviews.model import Model

RATE = 16_000


def noise(samples: int, level: float = 0.1, seed: int = 0) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_one_row_is_one_sound_and_rates_are_matched(cola: Model) -> None:
    waveform = noise(48_000)
    both = cola.embed(waveform[None], RATE)
    np.testing.assert_array_equal(both.vectors, cola.embed(waveform, RATE).vectors)
    assert both.vectors.dtype == np.float32 and both.vectors.shape == (4, 8)
    assert both.starts.dtype == np.float64 and both.starts.tolist() == pytest.approx([0, 0.98, 1.96, 2.94])
    assert cola.embed(waveform, 48_000).vectors.shape == (2, 8)


def test_a_path_gives_what_its_samples_give(cola: Model, write_audio: Callable[..., Path]) -> None:
    path = write_audio("owl.wav", seconds=2.5, sample_rate=22_050, channels=2)
    expected = cola.embed(sv.audio.decode.read(path, sample_rate=RATE), RATE)
    for given in (path, str(path)):
        np.testing.assert_allclose(cola.embed(given).vectors, expected.vectors, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(cola.embed(path, 22_050).vectors, cola.embed(path).vectors)
    with pytest.raises(SoundviewsError, match=r"owl\.wav is at 22050 Hz, not 16000: leave sample_rate out"):
        cola.embed(path, RATE)
    with pytest.raises(SoundviewsError, match=r"none\.wav: no such file"):
        cola.embed(path.with_name("none.wav"))


@pytest.mark.parametrize(
    ("kind", "silence", "full_scale"), [("uint8", 128, 2**7), ("int16", 0, 2**15), ("int32", 0, 2**31)]
)
def test_integers_are_scaled_by_their_full_scale(cola: Model, kind: str, silence: int, full_scale: int) -> None:
    """An unscaled int16 gave a vector at a cosine of 0.967 to the right one."""
    integers = np.rint(noise(32_000, 0.2).astype(np.float64) * full_scale + silence)
    integers = integers.clip(np.iinfo(kind).min, np.iinfo(kind).max).astype(kind)
    plain = Model(cola.config.model_copy(update={"level": "none"}), cola.encoder)  # so that the scale shows
    expected = plain.embed((integers.astype(np.float64) - silence) / full_scale, RATE).vectors
    for given in (integers, torch.from_numpy(integers)):
        found = plain.embed(given, RATE).vectors
        assert (cosine(found, expected) > 1 - 1e-6).all()
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_tensors_of_any_float_type_also_those_that_ask_for_gradients(cola: Model) -> None:
    waveform = noise(32_000)
    expected = cola.embed(waveform, RATE).vectors
    tensor = torch.from_numpy(waveform)
    for given in (tensor, tensor.double().requires_grad_(), waveform.astype(np.float64)):
        np.testing.assert_array_equal(cola.embed(given, RATE).vectors, expected)
    for coarse in (tensor.half(), tensor.bfloat16()):
        assert (cosine(cola.embed(coarse, RATE).vectors, expected) > 0.999).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_tensors_and_models_on_a_gpu(cola: Model) -> None:
    waveform = noise(32_000)
    expected = cola.embed(waveform, RATE).vectors
    for given in (waveform, torch.from_numpy(waveform).cuda()):
        np.testing.assert_allclose(cola.to("cuda").embed(given, RATE).vectors, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (np.zeros((16_000, 2), np.float32), r"of a batch, give it to embed_batch; channels are mixed by \.mean\(0\)"),
        (np.zeros((2, 16_000), np.float32), r"of a batch, give it to embed_batch; channels are mixed by \.mean\(0\)"),
        (torch.zeros(64, 16_000), "of a batch, give it to embed_batch"),
        (np.zeros((2, 2, 16_000), np.float32), "embed_batch"),
        ([np.zeros(16_000)], "not a list; give it to embed_batch"),
        (np.float32(1.0), "not a float32"),
        (np.zeros(0), "empty"),
        (np.zeros((2, 0)), "may be a batch"),
        (np.full(16_000, np.nan), "NaN or infinite"),
        (np.full(16_000, 1e300), "NaN or infinite"),
        (np.zeros(16_000, np.int64), "type int64 have no agreed full scale"),
        (np.zeros(16_000, np.int8), "type int8 have no agreed full scale"),
        (np.zeros(16_000, bool), "type bool have no agreed full scale"),
        (np.zeros(16_000, complex), "type complex128 have no agreed full scale"),
        (torch.zeros(16_000, dtype=torch.complex64), "type complex64 have no agreed full scale"),
        (np.zeros(16_000, object), "type object have no agreed full scale"),
    ],
)
def test_what_is_no_waveform_is_refused(cola: Model, wrong: Any, words: str) -> None:
    with pytest.raises(SoundviewsError, match=words):
        cola.embed(wrong, RATE)


def test_a_rate_is_needed_and_must_be_one(cola: Model) -> None:
    with pytest.raises(SoundviewsError, match="at what rate the samples are, in Hz: sample_rate="):
        cola.embed(noise(16_000))
    with pytest.raises(SoundviewsError, match="above 0, not 0"):
        cola.embed(noise(16_000), 0)
    with pytest.raises(SoundviewsError, match="shorter than one sample"):
        cola.embed(np.ones(1), 192_000)


def test_a_batch_equals_its_clips_one_by_one(
    cola: Model, write_audio: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_audio("owl.wav", seconds=1.5, sample_rate=8000)
    items = [noise(40_000), path, torch.from_numpy(noise(300, seed=1)), noise(16_000)[None]]
    batches = []
    plain = cola.embed_clips
    monkeypatch.setattr(cola, "embed_clips", lambda clips: batches.append(clips.samples.shape) or plain(clips))
    for most, shapes in ((1 << 23, [(4, 40_000)]), (50_000, [(1, 40_000), (2, 24_000), (1, 16_000)])):
        batches.clear()
        monkeypatch.setattr("soundviews.model.model.SAMPLES_AT_ONCE", most)
        found = cola.embed_batch((item for item in items), sample_rate=RATE)
        assert batches == shapes
        for embedding, item in zip(found, items, strict=True):
            expected = cola.embed(item) if item is path else cola.embed(item, RATE)
            np.testing.assert_allclose(embedding.vectors, expected.vectors, atol=1e-5, rtol=0)
            np.testing.assert_array_equal(embedding.starts, expected.starts)


def test_batches_of_rows_of_nothing_and_of_what_is_none(cola: Model) -> None:
    rows = np.stack([noise(16_000, seed=seed) for seed in range(12)])
    found = cola.embed_batch(rows, RATE)
    assert len(found) == 12
    np.testing.assert_allclose(found[7].vectors, cola.embed(rows[7], RATE).vectors, atol=1e-5, rtol=0)
    assert cola.embed_batch([], RATE) == []
    with pytest.raises(SoundviewsError, match=r"takes a list of recordings: for owl\.wav alone, use embed"):
        cola.embed_batch("owl.wav")
    with pytest.raises(SoundviewsError, match="item 1: the waveform has NaN"):
        cola.embed_batch([rows[0], np.full(100, np.nan)], RATE)
    with pytest.raises(SoundviewsError, match=r"item 0: .*float32"):
        cola.embed_batch(rows[0], RATE)


def test_reprs_say_what_matters(cola: Model) -> None:
    assert repr(cola) == ("Model('small', vgg_like: 8 values for every 0.98 s, 0.98 s apart, at 16000 Hz, on cpu)")
    assert repr(cola.embed(noise(48_000), RATE)) == "Embedding(4 windows that start at 0.00 to 2.94 s, vectors of 8)"
    assert repr(cola.embed(noise(8_000), RATE)) == "Embedding(1 window that starts at 0.00 s, a vector of 8)"
