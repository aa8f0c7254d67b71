"""The figures show the numbers they are given."""

import itertools

import numpy as np
import pytest

from soundviews.report import figures
from soundviews.report.figures import Bar
from soundviews.report.spectrograms import Units


def test_training_curves_draw_each_metric() -> None:
    curves = {"loss": [(i, 1 / (i + 1)) for i in range(100)], "accuracy": [(0, 0.1), (50, 0.8)]}
    axes = figures.training_curves(curves).axes
    assert [panel.get_title(loc="left") for panel in axes] == ["loss", "accuracy"]
    np.testing.assert_allclose(axes[0].lines[0].get_ydata(), [value for _, value in curves["loss"]])
    smooth = np.asarray(axes[0].lines[1].get_ydata())
    assert smooth.shape == (100,)
    assert smooth[50] == pytest.approx(np.mean([1 / (i + 1) for i in (48, 49, 50, 51, 52)]))


def test_views_are_drawn_with_time_to_the_right() -> None:
    rng = np.random.default_rng(0)
    anchor, positive = rng.normal(size=(2, 3, 98, 64)).astype(np.float32)
    figure = figures.view_patches(anchor, positive, Units(0.01), ["a", "b", "c"])
    assert len(figure.axes) == 6
    image = figure.axes[4].images[0]
    np.testing.assert_array_equal(image.get_array(), positive[1].T)
    assert image.get_extent() == pytest.approx([0, 0.98, 0, 64])


def test_per_class_bars_are_ranked() -> None:
    axes = figures.per_class_bars({"dog": 0.2, "rain": 0.9, "bell": 0.5}, "accuracy", {"dog": 0.1}).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dog", "bell", "rain"]
    assert [bar.get_width() for bar in axes.patches] == [0.2, 0.5, 0.9]


def test_class_bars_stand_side_by_side() -> None:
    systems = {"mine": {"dog": 0.2, "rain": 0.9}, "scratch": {"dog": 0.5, "bell": 0.3}}
    axes = figures.class_bars(systems, "F1").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dog", "rain", "bell"]
    mine, scratch = ([bar.get_width() for bar in bars] for bars in axes.containers)
    np.testing.assert_array_equal(mine, [0.2, 0.9, np.nan])
    np.testing.assert_array_equal(scratch, [0.5, np.nan, 0.3])
    upper, lower = (bars[0].get_y() for bars in axes.containers)
    assert -0.5 < upper < lower < 0.5  # both beside the first class, and not on each other


def test_test_clips_stand_beside_the_class() -> None:
    clips = {"dog": 1200, "rain": 8}
    for figure in (
        figures.per_class_bars({"rain": 0.9, "dog": 0.2}, "accuracy", clips=clips),
        figures.class_bars({"mine": {"rain": 0.9, "dog": 0.2, "bell": 1.0}}, "F1", clips),
    ):
        labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert labels[:2] == ["dog (1,200)", "rain (8)"] and labels[2:] in ([], ["bell"])


def test_confusions_are_shares_of_the_true_class() -> None:
    counts = [[3, 1, 0], [0, 1, 0], [0, 0, 0]]
    axes = figures.confusion_matrix(counts, ["dog", "rain", "bell"]).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.75, 0.25, 0], [0, 1, 0], [0, 0, 0]])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("taken for", "is")


def test_protocol_bars_carry_their_intervals() -> None:
    bars = [
        Bar("linear", "cola", 0.6, 0.57, 0.63),
        Bar("linear", "log-mel", 0.41, 0.41, 0.41),
        Bar("qbe", "cola", 0.2, 0.2, 0.2),
    ]
    axes = figures.protocol_bars(bars).axes[0]
    assert sorted(bar.get_width() for bar in axes.patches) == [0.2, 0.41, 0.6]
    ends = {tuple(np.round(segment[:, 0], 3)) for lines in axes.collections for segment in lines.get_segments()}
    assert (0.57, 0.63) in ends
    assert [label.get_text() for label in axes.get_yticklabels()] == ["linear", "qbe"]


def test_bars_below_nought_are_seen() -> None:
    for high in (0.3, -0.2):
        axes = figures.protocol_bars([Bar("invariance", "a", -0.4, -0.5, -0.3), Bar("b", "b", high, high, high)]).axes[
            0
        ]
        left, right = axes.get_xlim()
        assert left < -0.4 < 0 < right


def test_more_systems_than_colours_differ_in_hatching() -> None:
    bars = [Bar("qbe", str(number), 0.5, 0.5, 0.5) for number in range(len(figures.CYCLE) + 1)]
    first, *_, last = figures.protocol_bars(bars).axes[0].patches
    assert first.get_facecolor() == last.get_facecolor() and first.get_hatch() is None and last.get_hatch()


def test_the_colours_differ_without_colour() -> None:
    """Neighbours in the cycle differ in lightness, so a grey print keeps them apart."""
    light = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (_rgb(c) for c in figures.CYCLE[:3])]
    assert min(abs(a - b) for a, b in itertools.pairwise(light)) > 0.1


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
