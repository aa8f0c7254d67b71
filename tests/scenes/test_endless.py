"""Endless synthesised sound: seeded by index, never silent, five kinds that differ."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from soundviews.core.randomness import hashed_seed
from soundviews.features import LogMel
from soundviews.scenes.endless import at_rate, make_clips, render
from soundviews.scenes.endless_curves import DRAWS, RATE, SAMPLES
from soundviews.scenes.endless_numbers import (
    CLIP,
    COMMON,
    KINDS,
    MOST_LAYERS,
    NUMBERS,
    OF_KIND,
    Dials,
    draw_numbers,
    draw_rows,
    perturb,
)


@pytest.fixture(scope="module")
def clips() -> Tensor:
    return make_clips(0, range(48))


def test_clips_are_finite_and_as_loud_as_they_can_be(clips: Tensor) -> None:
    assert clips.shape == (48, SAMPLES) and clips.dtype == torch.float32
    assert clips.isfinite().all()
    torch.testing.assert_close(clips.abs().amax(1), torch.ones(48))


def test_a_clip_does_not_depend_on_those_that_are_made_with_it(clips: Tensor) -> None:
    # Products of matrices of other sizes round otherwise; the noise floor of 16 bits is at 3e-5.
    torch.testing.assert_close(make_clips(0, [40, 7]), clips[[40, 7]], rtol=0, atol=3e-5)


def test_the_same_call_gives_the_same_bits(clips: Tensor) -> None:
    assert torch.equal(make_clips(0, range(48)), clips)


def test_seeds_and_indices_sound_different(clips: Tensor) -> None:
    assert len({tuple(row[:50].tolist()) for row in clips}) == 48
    assert not torch.equal(make_clips(1, [0])[0], clips[0])


def test_no_number_makes_silence() -> None:
    drawn = draw_numbers(0, range(5))
    kinds = torch.arange(5)[:, None].expand(-1, MOST_LAYERS)
    for extreme in (0.0, 1.0):
        numbers = replace(
            drawn,
            kinds=kinds,
            layers=torch.full_like(drawn.layers, extreme),
            vectors=torch.full_like(drawn.vectors, extreme),
            clip=torch.full_like(drawn.clip, extreme),
        )
        sound = render(numbers, torch.full((5, MOST_LAYERS * DRAWS + 2), 0.5))
        assert sound.isfinite().all()
        torch.testing.assert_close(sound.abs().amax(1), torch.ones(5))


def only(kind: str, count: int) -> Tensor:
    """Clips of one layer of one kind, without reverberation or background."""
    drawn = draw_numbers(3, range(count))
    clip = drawn.clip.clone()
    clip[:, [CLIP.index("reverb_level"), CLIP.index("background"), CLIP.index("eq_depth")]] = 0.0
    numbers = replace(
        drawn,
        kinds=torch.full_like(drawn.kinds, KINDS.index(kind)),
        count=torch.ones_like(drawn.count),
        clip=clip,
    )
    draws = draw_rows([(3, "draws", number) for number in range(count)], MOST_LAYERS * DRAWS + 2)
    return render(numbers, draws)


def test_the_kinds_differ_in_spectrum_and_over_time() -> None:
    lines, steps = {}, {}
    for kind in KINDS:
        clips = only(kind, 24)
        energy = torch.fft.rfft(clips).abs().square()
        lines[kind] = float((energy.topk(128, dim=1).values.sum(1) / energy.sum(1)).median())  # in a hundredth of bins
        frames = clips.unfold(1, 160, 160).square().mean(2).clamp(min=1e-9).log10() * 10
        steps[kind] = float(frames.diff(dim=1).amax(1).median())  # the steepest rise within 10 ms, dB
    assert lines["modal"] > lines["tonal"] + 0.2
    assert lines["tonal"] > lines["noise"] + 0.1
    assert lines["vocal"] > lines["noise"] + 0.1
    assert steps["granular"] > steps["noise"] + 10


def test_perturbed_by_nothing_the_numbers_stay() -> None:
    numbers = draw_numbers(0, range(4))
    same = perturb(numbers, 0.0, 0, range(4))
    for name in ("kinds", "count", "layers", "vectors", "clip"):
        assert torch.equal(getattr(same, name), getattr(numbers, name))


@pytest.mark.parametrize("distance", [0.1, 0.5, 1.0])
def test_perturbed_numbers_move_by_up_to_the_distance_and_stay_in_range(distance: float) -> None:
    numbers = draw_numbers(0, range(64))
    moved = perturb(numbers, distance, 0, range(64))
    assert torch.equal(moved.kinds, numbers.kinds) and torch.equal(moved.count, numbers.count)
    for name in ("layers", "vectors", "clip"):
        before, after = getattr(numbers, name), getattr(moved, name)
        assert after.min() >= 0 and after.max() <= 1
        assert (after - before).abs().max() <= distance + 1e-6
        assert (after - before).abs().mean() > distance / 5


def test_a_pair_is_nearer_the_less_it_is_perturbed() -> None:
    log_mel = LogMel(RATE, n_fft=1024, window_length=1024, power=2.0, log="db", floor=1e-10)

    def timbre(clips: Tensor) -> Tensor:
        patches = log_mel(clips)
        return (patches - patches.amax((1, 2), keepdim=True)).clamp(min=-70).mean(1)

    index = range(48)
    anchors = timbre(make_clips(0, index))
    apart = [float((timbre(make_clips(0, index, d)) - anchors).abs().mean()) for d in (0.0, 0.1, 0.5)]
    others = float((anchors.roll(1, 0) - anchors).abs().mean())
    assert apart[0] < apart[1] < apart[2] < others


def test_every_number_has_a_name_once() -> None:
    for kind in KINDS:
        names = (*COMMON, *OF_KIND[kind])
        assert len(set(names)) == len(names) <= NUMBERS
    assert len(set(CLIP)) == len(CLIP) == draw_numbers(0, [0]).clip.shape[1]


def test_dials_read_numbers_on_their_scale() -> None:
    dials = Dials(torch.tensor([[0.0, 0.5], [1.0, 0.75]]), ("a", "b"))
    torch.testing.assert_close(dials.linear("a", -1, 3), torch.tensor([[-1.0], [3.0]]))
    torch.testing.assert_close(dials.ratio("b", 1, 16), torch.tensor([[4.0], [8.0]]))
    torch.testing.assert_close(dials.above("b", 0.5), torch.tensor([[0.0], [0.5]]))
    torch.testing.assert_close(dials.gain("a", 0, 20), torch.tensor([[1.0], [10.0]]))


def test_numbers_are_a_function_of_their_key() -> None:
    rows = draw_rows([("a",), ("b",)], 5)
    assert torch.equal(draw_rows([("b",)], 5)[0], rows[1])
    generator = torch.Generator().manual_seed(hashed_seed("a"))
    assert torch.equal(torch.rand(5, generator=generator), rows[0])


def test_clips_at_another_rate_last_as_long(clips: Tensor) -> None:
    assert at_rate(clips[:2], 22050).shape == (2, SAMPLES * 22050 // RATE)
    assert torch.equal(at_rate(clips[:2], RATE), clips[:2])
