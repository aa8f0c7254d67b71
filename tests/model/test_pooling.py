"""A clip's vector out of its windows', against plain float64 loops."""

import math

import numpy as np
import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.features.patches import Clips
from soundviews.model.pooling import loudness_weights, pool_windows, window_power

RATE = 100


def windows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors (30, 3), clips (30,) of which 2 has none and 4 one window, powers (30,) of all sizes."""
    rng = np.random.default_rng(0)
    clip = np.sort(rng.integers(4, size=29))
    clip[clip == 2] = 3
    power = 10.0 ** rng.uniform(-9, 2, 30)
    return rng.standard_normal((30, 3)).astype(np.float32), np.append(clip, 4), power.astype(np.float32)


def loop(vectors: np.ndarray, power: np.ndarray, pool: str) -> list[float]:
    """What `pool` makes of one clip's windows, a number at a time."""
    loudest = max(power.tolist())
    weights = [max(p / loudest, 1e-7) ** 0.3 if pool == "loudness" else 1.0 for p in power.tolist()]
    columns = vectors.astype(np.float64).T.tolist()
    means = [sum(w * x for w, x in zip(weights, column, strict=True)) / sum(weights) for column in columns]
    if pool in ("mean", "loudness"):
        return means
    largest = [max(column) for column in columns]
    spread = [
        math.sqrt(sum((x - mean) ** 2 for x in column) / len(column))
        for column, mean in zip(columns, means, strict=True)
    ]
    return largest if pool == "max" else means + largest + spread


@pytest.mark.parametrize("pool", ["mean", "loudness", "max", "mean+max+std"])
def test_equals_a_loop_over_each_clips_windows(pool: str) -> None:
    vectors, clip, power = windows()
    result = pool_windows(vectors, clip, 6, pool, power)
    assert result.shape == (6, 9 if pool == "mean+max+std" else 3) and result.dtype == np.float32
    for number in range(6):
        chosen = clip == number
        expected = loop(vectors[chosen], power[chosen], pool) if chosen.any() else 0.0
        np.testing.assert_allclose(result[number], expected, rtol=1e-5, atol=1e-6)


def test_silence_never_weighs_most() -> None:
    weights = loudness_weights(np.array([0.0, 1e-3, 1.0, 0.0], np.float32))
    assert weights.sum() == pytest.approx(1) and weights.argmax() == 2
    assert weights[0] == weights[3] == pytest.approx(1e-7**0.3 * weights[2])
    assert loudness_weights(np.zeros(4, np.float32)).tolist() == [0.25] * 4
    assert np.isfinite(loudness_weights(np.array([1e-38, 0.0], np.float32))).all()


def test_loudness_does_not_depend_on_the_level() -> None:
    power = windows()[2]
    np.testing.assert_allclose(loudness_weights(power * np.float32(1e-4)), loudness_weights(power), rtol=1e-5)


def test_loudness_needs_the_windows_power_where_a_clip_has_several() -> None:
    vectors, clip, _ = windows()
    with pytest.raises(SoundviewsError, match="how loud its windows are"):
        pool_windows(vectors, clip, 6, "loudness")
    alone = np.arange(30)
    assert np.array_equal(pool_windows(vectors, alone, 30, "loudness"), vectors)


def test_power_is_the_variance_of_a_windows_samples() -> None:
    rng = np.random.default_rng(1)
    samples, lengths = rng.standard_normal((2, 250)).astype(np.float32) + 5, [250, 120]
    samples[1, 120:] = 0  # behind its end
    row, starts = [0, 0, 0, 1, 1], [0.0, 0.5, 2.0, 0.0, 1.0]
    clips = Clips(torch.from_numpy(samples), torch.tensor(lengths))
    power = window_power(clips, torch.tensor(row), torch.tensor(starts), 1.0, RATE)
    for index, (number, start) in enumerate(zip(row, starts, strict=True)):
        first = round(start * RATE)
        inside = samples[number, first : min(first + RATE, lengths[number])].astype(np.float64)
        expected = sum((x - inside.mean()) ** 2 for x in inside.tolist()) / RATE
        assert power[index] == pytest.approx(expected, rel=1e-4)


def test_digital_silence_has_no_power_and_a_constant_offset_none_either() -> None:
    samples = torch.cat([torch.zeros(RATE), torch.full((RATE,), 0.25)])[None]
    clips = Clips(samples, torch.tensor([2 * RATE]))
    power = window_power(clips, torch.tensor([0, 0]), torch.tensor([0.0, 1.0]), 1.0, RATE)
    assert power[0] == 0 and power[1] < 1e-12
