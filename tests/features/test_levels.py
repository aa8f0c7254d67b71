"""Levels of clips and windows, against a loop in float64."""

import numpy as np
import pytest
import torch

from soundviews.features.levels import level_clips, level_windows
from soundviews.features.patches import Clips, padded_together

WAVEFORMS = [
    (0.3 + 0.1 * np.random.default_rng(seed).standard_normal(length)).astype(np.float32)
    for seed, length in enumerate((500, 1000, 20))
]


def one_clip(samples: np.ndarray, level: str) -> np.ndarray:
    wide = samples.astype(np.float64)
    if level == "peak":
        centred = wide - wide.mean()
        return centred / (np.abs(centred).max() + 0.005)
    return wide / np.sqrt(max((wide**2).sum(), 1e-9)) if level == "l2_clip" else wide


@pytest.mark.parametrize("level", ["none", "peak", "l2_clip", "l2_window"])
def test_each_clip_by_itself_and_zeros_stay_behind_it(level: str) -> None:
    clips = padded_together(WAVEFORMS)
    levelled = level_clips(clips, level)
    for row, waveform in zip(levelled.samples.numpy(), WAVEFORMS, strict=True):
        np.testing.assert_allclose(row[: len(waveform)], one_clip(waveform, level), atol=1e-5)
        assert not row[len(waveform) :].any()
    np.testing.assert_array_equal(clips.samples, padded_together(WAVEFORMS).samples)  # the input is left alone


def test_windows_have_unit_energy_under_their_convention_alone() -> None:
    windows = torch.from_numpy(np.stack([WAVEFORMS[1][:400], WAVEFORMS[0][:400], np.zeros(400, np.float32)]))
    norms = level_windows(windows, "l2_window").norm(dim=1)
    np.testing.assert_allclose(norms, [1, 1, 0], atol=1e-6)
    for level in ("none", "peak", "l2_clip"):
        assert level_windows(windows, level) is windows


def test_padded_together() -> None:
    clips = padded_together(WAVEFORMS)
    assert isinstance(clips, Clips) and clips.samples.shape == (3, 1000)
    assert clips.lengths.tolist() == [500, 1000, 20]
    np.testing.assert_array_equal(clips.samples[2, :20], WAVEFORMS[2])
