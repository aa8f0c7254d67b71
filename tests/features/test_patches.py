"""Patches cut out of a batch equal slices of each clip's own spectrogram."""

import numpy as np
import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.features import LogMel, cut, cut_patches
from soundviews.features.patches import last_start

FRONT_ENDS = {
    "uncentred": {"sample_rate": 16000},
    "reflect": {"sample_rate": 16000, "center": True},
    "constant": {"sample_rate": 16000, "center": True, "pad_mode": "constant"},
    "odd": {"sample_rate": 16000, "center": True, "n_fft": 1023, "window_length": 401},
    "offset": {"sample_rate": 16000, "center": True, "waveform_offset": 1e-3, "power": 2.0, "floor_mode": "add"},
}
LENGTHS = (12000, 7301, 3200, 1600, 37, 1)  # the last ones are shorter than a patch of 20 frames


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    samples = torch.zeros(len(LENGTHS), max(LENGTHS))
    for row, length in enumerate(LENGTHS):
        samples[row, :length] = torch.randn(length, generator=generator)
    return samples, torch.tensor(LENGTHS)


def filled(clip: np.ndarray, size: int, fill: str) -> np.ndarray:
    missing = max(0, size - len(clip))
    if fill == "repeat":
        return np.tile(clip, -(-size // len(clip)))[:size] if missing else clip
    before = missing // 2 if fill == "pad" else 0
    return np.pad(clip, (before, missing - before))


@pytest.mark.parametrize("fill", ["repeat", "pad"])
@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_patches_equal_slices_of_the_whole_clip(front_end, fill):
    log_mel, frames = LogMel(**FRONT_ENDS[front_end]), 20
    samples, lengths = batch()
    last = last_start(log_mel, lengths, frames)
    starts = torch.stack([torch.zeros_like(last), last // 3, last], dim=1)  # both ends and the middle
    got = cut_patches(log_mel, samples, lengths, starts, frames, fill)
    assert got.shape == (len(LENGTHS), 3, frames, 64)
    for row, length in enumerate(LENGTHS):
        clip = filled(samples[row, :length].numpy(), log_mel.samples(frames), fill)
        whole = log_mel(torch.from_numpy(clip)[None])[0]
        assert whole.shape[0] >= frames + int(last[row])
        for column, start in enumerate(starts[row].tolist()):
            torch.testing.assert_close(got[row, column], whole[start : start + frames], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("fill", ["repeat", "pad", "pad_end"])
def test_cut_equals_slicing(fill):
    samples, lengths = batch()
    starts = torch.stack([torch.zeros_like(lengths), (lengths - 2000).clamp(min=0)], dim=1)
    got = cut(samples, lengths, starts, 2000, fill)
    for row, length in enumerate(LENGTHS):
        clip = filled(samples[row, :length].numpy(), 2000, fill)
        for column, start in enumerate(starts[row].tolist()):
            np.testing.assert_array_equal(got[row, column].numpy(), clip[start : start + 2000])


@pytest.mark.parametrize("fill", ["repeat", "pad"])
def test_snippets_that_reach_beyond_their_clip_end_in_zeros(fill):
    samples, lengths = torch.arange(1.0, 11.0).repeat(2, 1), torch.tensor([10, 7])
    got = cut(samples, lengths, torch.tensor([[3, 8], [3, 8]]), 5, fill)
    assert got.tolist() == [[[4, 5, 6, 7, 8], [9, 10, 0, 0, 0]], [[4, 5, 6, 7, 0], [0, 0, 0, 0, 0]]]


def test_reflection_of_very_short_clips_equals_numpy():
    log_mel, clip = LogMel(16000, center=True), np.random.default_rng(1).standard_normal(150).astype(np.float32)
    padded = np.pad(clip, 512, mode="reflect")  # folds several times
    expected = LogMel(16000, window_length=400)(torch.from_numpy(padded[312 : 312 + 400])[None])
    torch.testing.assert_close(log_mel(torch.from_numpy(clip)[None])[:, :1], expected, rtol=1e-5, atol=1e-5)


def test_what_lies_behind_a_clip_does_not_matter():
    log_mel, (samples, lengths) = LogMel(16000, center=True), batch()
    starts = last_start(log_mel, lengths, 20)[:, None]
    expected = cut_patches(log_mel, samples, lengths, starts, 20)
    behind = torch.arange(samples.shape[1]) >= lengths[:, None]
    assert torch.equal(cut_patches(log_mel, samples + behind * 9.0, lengths, starts, 20), expected)


def test_unknown_fill():
    samples, lengths = batch()
    with pytest.raises(SoundviewsError, match="repeat"):
        cut(samples, lengths, torch.zeros(len(LENGTHS), 1, dtype=torch.long), 5, "wrap")
