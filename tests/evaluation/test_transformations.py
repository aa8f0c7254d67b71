"""Each transformation does to the waveform what its name says, within each clip's own length."""

from functools import partial
from pathlib import Path

import pytest
import soundfile
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.evaluation import transformations
from soundviews.features.patches import Clips
from soundviews.views import views

RATE = 8000


@pytest.fixture
def clips() -> Clips:
    """One second of noise, and an odd number of samples of louder noise that gets louder in its second half."""
    samples = Randomness(0).normal(2, RATE)
    samples[1] *= 5
    samples[1, 2500:] *= 2
    samples[1, 5001:] = 0
    return Clips(samples, torch.tensor([RATE, 5001]))


def apply(name: str, clips: Clips) -> Clips:
    return transformations.transformed(transformations.create(name, RATE), clips, Randomness(1))


@pytest.mark.parametrize(("name", "snr"), [("noise 20 dB", 20), ("noise 10 dB", 10)])
def test_noise_has_the_ratio_to_each_clips_own_power(clips: Clips, name: str, snr: float) -> None:
    noisy = apply(name, clips)
    noise = noisy.samples - clips.samples
    ratio = 10 * torch.log10(clips.samples.square().sum(1) / noise.square().sum(1))
    torch.testing.assert_close(ratio, torch.full((2,), float(snr)), atol=0.2, rtol=0)
    assert not noisy.samples[1, 5001:].any()


def test_gain_is_in_decibels(clips: Clips) -> None:
    ratio = apply("gain -6 dB", clips).samples.norm() / clips.samples.norm()
    assert 20 * torch.log10(ratio) == pytest.approx(-6, abs=1e-4)


def test_the_louder_half_is_kept(clips: Clips) -> None:
    half = apply("louder half", clips)
    assert half.lengths.tolist() == [4000, 2501]
    first, second = clips.samples[0].split(4000)
    louder = max(first, second, key=lambda part: part.square().sum().item())
    assert torch.equal(half.samples[0], louder)
    assert torch.equal(half.samples[1, :2501], clips.samples[1, 2500:5001])
    assert not half.samples[1, 2501:].any()


def test_stretching_changes_the_length(clips: Clips) -> None:
    assert apply("stretch 0.9", clips).lengths.tolist() == [8889, 5557]
    assert apply("stretch 1.1", clips).lengths.tolist() == [7273, 4546]


@pytest.mark.parametrize("name", transformations.transformations.names())
def test_every_transformation_gives_what_it_takes_from_the_seed_alone(name: str, clips: Clips, tmp_path: Path) -> None:
    decay = Randomness(3).normal(800) * torch.linspace(0, -5, 800).exp()
    soundfile.write(tmp_path / "room.wav", (0.2 * decay).numpy(), RATE)
    view = transformations.create(name, RATE, rooms=str(tmp_path))
    x = Randomness(2).normal(3, 40, 64) if view.takes == "patches" else clips
    run = view if view.takes == "patches" else partial(transformations.transformed, view)
    state = torch.get_rng_state()
    results = [_tensors(run(x, Randomness(1))) for _ in range(2)]
    for first, second in zip(*results, strict=True):
        assert torch.equal(first, second) and first.isfinite().all()
    assert torch.equal(torch.get_rng_state(), state), "a global stream was used"
    samples, lengths = (*results[0], None)[:2]
    assert len(samples) == len(_tensors(x)[0])
    if lengths is not None:
        assert not samples[torch.arange(samples.shape[1]) >= lengths[:, None]].any(), "samples behind the end of a clip"


def _tensors(x: Clips | torch.Tensor) -> tuple[torch.Tensor, ...]:
    return tuple(x) if isinstance(x, Clips) else (x,)


def test_the_default_ones_are_registered_and_others_are_by_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = transformations.transformations
    assert set(transformations.NAMES) <= set(registry.names())
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    registry.register("cut")(lambda sample_rate: views.create("crop", {"seconds": 0.1}, sample_rate=sample_rate))
    assert "cut" not in transformations.NAMES
    with pytest.raises(SoundviewsError, match="'cut' takes clips and gives snippets"):
        transformations.create("cut", RATE)


def test_a_clip_of_one_sample_survives() -> None:
    one = Clips(torch.ones(1, 1), torch.tensor([1]))
    for name in set(transformations.NAMES) - {"room", "masks"}:
        result = apply(name, one)
        assert result.lengths.tolist() == [1]
        assert torch.isfinite(result.samples).all()
