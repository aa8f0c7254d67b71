"""The view `room` against scipy, and what its output's decay says."""

import numpy as np
import pytest
import torch
from scipy.signal import fftconvolve

from soundviews.audio.responses import lead_samples
from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.views import views
from soundviews.views.pipeline import TwoViews

RATE = 16000
SIZE = 8000
RNG = Randomness(0, 0)


def decaying(t60: float, seconds: float = 0.9, seed: int = 0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    noise = 0.1 * np.random.default_rng(seed).standard_normal(len(time)) * 10 ** (-3 * time / t60)
    noise[0] = 0.9
    return noise


def measured_t60(samples: torch.Tensor) -> float:
    """Schroeder's backward integral, a line fitted from -5 to -25 dB, extrapolated to 60 dB; seconds."""
    energy = np.cumsum(samples.double().numpy()[::-1] ** 2)[::-1]
    decay = 10 * np.log10(energy / energy[0])
    fitted = np.flatnonzero((decay <= -5) & (decay >= -25))
    return -60 / np.polyfit(fitted / RATE, decay[fitted], 1)[0]


@pytest.fixture
def room(write_audio, tmp_path):
    """Write responses, each (samples,), and make the view of their folder."""

    def make(*responses: np.ndarray, **options: object):
        for number, response in enumerate(responses):
            write_audio(f"rirs/{number}.wav", samples=response, subtype="FLOAT")
        return views.create("room", {"responses": str(tmp_path / "rirs"), **options}, sample_rate=RATE)

    return make


@pytest.fixture
def snippets() -> torch.Tensor:
    return 0.2 * torch.randn(16, SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("level", ["match", "none"])
@pytest.mark.parametrize("size", [700, 8000, 15600, 30000])
def test_an_identity_response_changes_nothing(room, level, size) -> None:
    delayed = np.zeros(2000)
    delayed[1234] = 1.0
    x = 0.2 * torch.randn(4, size, generator=torch.Generator().manual_seed(1))
    assert (room(delayed, level=level)(x, RNG) - x).abs().max() < 1e-6


@pytest.mark.parametrize("seconds", [0.1, 0.9], ids=["shorter", "longer than the snippet"])
def test_against_scipy_in_float64(room, snippets, seconds) -> None:
    response = decaying(0.4, seconds)
    y = room(response, level="none")(snippets, RNG)
    for row, x in zip(y.double().numpy(), snippets.double().numpy(), strict=True):
        np.testing.assert_allclose(row, fftconvolve(x, response.astype(np.float32).astype(float))[:SIZE], atol=2e-6)


def test_a_response_that_rings_before_its_direct_sound(room, snippets) -> None:
    response, lead = np.zeros(600), lead_samples(RATE)
    response[200:203] = 0.05, 1.0, -0.5
    y = room(response, level="none")(snippets, RNG)
    assert lead > 1
    for row, x in zip(y.double().numpy(), snippets.double().numpy(), strict=True):
        np.testing.assert_allclose(row, fftconvolve(x, [0.05, 1.0, -0.5])[1 : SIZE + 1], atol=1e-6)


def test_nothing_is_delayed(room, snippets) -> None:
    y = room(np.concatenate([np.zeros(3000), decaying(0.5)]))(snippets, RNG)
    for row, x in zip(y.numpy(), snippets.numpy(), strict=True):
        assert np.argmax(np.abs(fftconvolve(row, x[::-1]))) == SIZE - 1


def test_the_level_is_the_snippets_or_what_the_response_says(room, snippets) -> None:
    x = snippets * torch.logspace(-6, 1, len(snippets))[:, None]
    matched, plain = room(4 * decaying(0.5))(x, RNG), room(4 * decaying(0.5), level="none")(x, RNG)
    torch.testing.assert_close(matched.norm(dim=1), x.norm(dim=1), rtol=1e-4, atol=0)
    assert (plain.norm(dim=1) > 3.5 * x.norm(dim=1)).all()
    gain = x.norm(dim=1, keepdim=True) / plain.norm(dim=1, keepdim=True)
    torch.testing.assert_close(matched, plain * gain, rtol=1e-4, atol=1e-7)


def test_silence_stays_silent(room) -> None:
    x = torch.zeros(3, SIZE)
    x[1, -1] = 0.5  # one sample at the very end, whose echoes are all cut off
    y = room(decaying(0.5))(x, RNG)
    assert not y[[0, 2]].any()
    assert torch.isfinite(y).all() and y[1, -1] == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("t60", [0.3, 0.6])
def test_the_reverberation_time_of_what_comes_out(room, t60) -> None:
    x = torch.zeros(2, RATE)
    x[0, 100] = 1.0
    x[1, :800] = torch.randn(800, generator=torch.Generator().manual_seed(0))  # a burst of 50 ms
    y = room(decaying(t60))(x, RNG)
    assert measured_t60(y[0, 100:]) == pytest.approx(t60, rel=0.05)
    assert measured_t60(y[1, 800:]) == pytest.approx(t60, rel=0.10)


def test_each_snippet_has_its_own_response_and_the_probability_is_kept(room) -> None:
    x = torch.zeros(600, 400)
    x[:, 0] = 1.0
    echoes = [np.eye(1, 300, 0)[0] + 0.5 * np.eye(1, 300, 50 * n)[0] for n in range(1, 6)]
    y = room(*echoes, probability=0.75, level="none")(x, RNG)
    filtered = y[:, 1:].abs().amax(dim=1) > 0.4
    assert filtered.float().mean() == pytest.approx(0.75, abs=0.06)
    assert torch.equal(y[~filtered], x[~filtered])
    drawn = torch.bincount(1 + y[filtered, 1:].argmax(dim=1), minlength=251)
    assert (drawn[50::50] > 0.12 * filtered.sum()).all()
    assert drawn[50::50].sum() == filtered.sum()


def test_building_reads_nothing_and_loading_says_what_was_left_out(write_audio, tmp_path) -> None:
    steps = [{"crop": {"seconds": 0.5}}, {"room": {"responses": str(tmp_path / "rirs")}}, "log_mel"]
    context = {"sample_rate": RATE, "log_mel": lambda snippets: snippets[:, None]}
    both = TwoViews(steps, steps, **context)
    with pytest.raises(SoundviewsError, match="no folder of impulse responses"):
        both.load()
    write_audio("rirs/good.wav", samples=decaying(0.3))
    bad = write_audio("rirs/silent.wav", samples=np.zeros(800))
    assert both.load() == [(str(bad), "all samples are zero")]
    bad.unlink()
    assert len(both.load()) == 1, "the folder was read twice"
    assert TwoViews([steps[0], "log_mel"], [steps[0], "log_mel"], **context).load() == []


@pytest.mark.parametrize(("option", "value"), [("probability", 1.5), ("level", "loud")])
def test_wrong_options(option, value) -> None:
    with pytest.raises(SoundviewsError, match=option):
        views.create("room", {option: value}, sample_rate=RATE)
