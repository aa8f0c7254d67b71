"""The picture of a separation shows what it is given, on one scale."""

import numpy as np
import pytest

from soundviews.report.channels import channel_spectrograms


def test_mixture_above_a_row_for_each_processor() -> None:
    rng = np.random.default_rng(0)
    mixture = rng.normal(size=(120, 64)).astype(np.float32)
    channels = {"S2": mixture - np.array([[[1.0]], [[5.0]]]), "N": mixture[None].repeat(2, axis=0)}
    figure = channel_spectrograms(mixture, channels, 0.01, {"S2": "step 20,000"})
    assert [part.get_suptitle() for part in figure.subfigs] == ["mixture", "S2   step 20,000", "N"]
    panels = [[axes for axes in part.axes if axes.images] for part in figure.subfigs]
    assert [len(row) for row in panels] == [1, 2, 2]
    np.testing.assert_array_equal(panels[0][0].images[0].get_array(), mixture.T)
    np.testing.assert_array_equal(panels[1][1].images[0].get_array(), channels["S2"][1].T)
    assert panels[0][0].images[0].get_extent() == pytest.approx([0, 1.2, 0, 64])
    scales = {axes.images[0].get_clim() for row in panels for axes in row}
    assert scales == {tuple(np.percentile(mixture, (1, 99.8)))}


def test_processors_may_differ_in_channels() -> None:
    patch = np.zeros((20, 8), np.float32)  # silence, too
    figure = channel_spectrograms(patch, {"a": np.stack([patch]), "b": np.stack(4 * [patch])}, 0.01)
    assert [sum(bool(axes.images) for axes in part.axes) for part in figure.subfigs] == [1, 1, 4]
    figure.canvas.draw()
