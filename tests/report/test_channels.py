"""The picture of a separation shows what it is given, on one scale."""

import numpy as np
import pytest
from matplotlib.axes import Axes

from soundviews.features.log_mel import LogMel
from soundviews.report.channels import channel_spectrograms
from soundviews.report.spectrograms import Units, units_of


def test_mixture_above_a_row_for_each_processor() -> None:
    rng = np.random.default_rng(0)
    mixture = rng.normal(size=(120, 64)).astype(np.float32)
    channels = {"S2": mixture - np.array([[[1.0]], [[5.0]]]), "N": mixture[None].repeat(2, axis=0)}
    figure = channel_spectrograms(mixture, channels, Units(0.01), {"S2": "step 20,000"})
    assert [part.get_suptitle() for part in figure.subfigs] == ["mixture", "S2   step 20,000", "N"]
    panels = [[axes for axes in part.axes if axes.images] for part in figure.subfigs]
    assert [len(row) for row in panels] == [1, 2, 2]
    np.testing.assert_array_equal(panels[0][0].images[0].get_array(), mixture.T)
    np.testing.assert_array_equal(panels[1][1].images[0].get_array(), channels["S2"][1].T)
    assert panels[0][0].images[0].get_extent() == pytest.approx([0, 1.2, 0, 64])
    scales = {axes.images[0].get_clim() for row in panels for axes in row}
    assert scales == {tuple(np.percentile(mixture, (1, 99.8)))}


def test_axes_are_in_hertz_and_seconds_and_a_bar_in_decibels() -> None:
    log_mel = LogMel(16000)  # natural logarithms of magnitudes
    mixture = np.linspace(0, -8, 50 * 64, dtype=np.float32).reshape(50, 64)
    figure = channel_spectrograms(mixture, {"S2": np.stack([mixture, mixture])}, units_of(log_mel, 16000))
    first, last = (part.axes[0] for part in figure.subfigs)
    assert (first.get_ylabel(), last.get_xlabel()) == ("Hz", "seconds")
    ticks = {
        label.get_text(): position for label, position in zip(first.get_yticklabels(), first.get_yticks(), strict=True)
    }
    assert list(ticks) == ["200", "500", "1k", "2k", "5k"]
    assert log_mel.hertz is not None
    below, above = (log_mel.hertz[int(ticks["1k"] - 0.5) + step] for step in (0, 1))
    assert below <= 1000 <= above
    (bar,) = [axes for axes in figure.subfigs[0].findobj(Axes) if axes.get_ylabel().startswith("dB")]
    values, labels = bar.get_yticks(), [label.get_text() for label in bar.get_yticklabels()]
    assert labels[:2] == ["0", "-20"]
    assert values[0] - values[1] == pytest.approx(np.log(10 ** (20 / 20)))


def test_processors_may_differ_in_channels() -> None:
    patch = np.zeros((20, 8), np.float32)  # silence, too
    figure = channel_spectrograms(patch, {"a": np.stack([patch]), "b": np.stack(4 * [patch])}, Units(0.01))
    assert [sum(bool(axes.images) for axes in part.axes) for part in figure.subfigs] == [1, 1, 4]
    figure.canvas.draw()
