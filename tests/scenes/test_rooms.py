"""Simulated rooms: their reverberation time, measured, and that they are made once."""

import sys

import numpy as np
import pytest

from soundviews.audio.responses import SECONDS, lead_samples
from soundviews.core.errors import SoundviewsError
from soundviews.scenes import rooms
from soundviews.scenes.rooms import draw_t60, simulate_room, simulated_responses

RATE = 16000
LEAD = lead_samples(RATE)


def measured_t60(response: np.ndarray, lowest: float, sample_rate: int = RATE) -> float:
    """Schroeder's backward integral, a line fitted from -5 dB to `lowest`, extrapolated to 60 dB; seconds."""
    energy = np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1]
    decay = 10 * np.log10(energy / energy[0])
    fitted = np.flatnonzero((decay <= -5) & (decay >= lowest))
    return -60 / np.polyfit(fitted / sample_rate, decay[fitted], 1)[0]


class TestSimulated:
    @pytest.fixture(autouse=True)
    def pyroomacoustics(self):
        return pytest.importorskip("pyroomacoustics")

    def test_reverberation_time_is_the_drawn_one(self) -> None:
        rng, wanted, t20, t30 = np.random.default_rng(5), [], [], []
        for _ in range(25):
            wanted.append(draw_t60(rng))
            response = simulate_room(wanted[-1], RATE, rng)[LEAD:]
            t20.append(measured_t60(response, -25))
            t30.append(measured_t60(response, -35))
        assert min(wanted) < 0.4 and max(wanted) > 1.2
        np.testing.assert_allclose(t20, wanted, rtol=0.10)
        np.testing.assert_allclose(t30, wanted, rtol=0.06)

    def test_other_rates(self) -> None:
        response = simulate_room(0.6, 44100, np.random.default_rng(0))
        assert response.shape == (lead_samples(44100) + round(SECONDS * 44100),)
        assert measured_t60(response[lead_samples(44100) :], -25, 44100) == pytest.approx(0.6, rel=0.10)

    def test_the_direct_sound_comes_first_and_nothing_is_missing_behind_it(self) -> None:
        for response in simulated_responses(RATE, count=8):
            assert abs(response[LEAD]) == 1
            assert np.square(response[: LEAD - 8]).sum() < 0.05, "something came before the direct sound"
            levels = np.square(response[LEAD:]).reshape(-1, 160).sum(axis=1)  # of 10 ms each
            assert (levels > 0).all()
            steps = np.abs(np.diff(10 * np.log10(levels[2:20])))
            assert steps.max() < 12, "a gap or a jump between the images and the diffuse sound"

    def test_made_once_and_kept(self, isolated_cache, monkeypatch) -> None:
        first = simulated_responses(RATE, count=3)
        (kept,) = (isolated_cache / "rooms").iterdir()
        with monkeypatch.context() as context:
            context.setattr(rooms, "_simulate", lambda *_: pytest.fail("simulated again"))
            np.testing.assert_array_equal(simulated_responses(RATE, count=3), first)
        kept.write_bytes(kept.read_bytes()[:1000])  # a power cut
        with pytest.warns(UserWarning, match=f"{kept.name} is damaged"):
            np.testing.assert_allclose(simulated_responses(RATE, count=3), first, atol=1e-6)
        other = simulated_responses(RATE, count=3, seed=1)
        assert not np.allclose(other, first, atol=0.01)
        assert len(list((isolated_cache / "rooms").iterdir())) == 2


def test_without_pyroomacoustics_the_error_names_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(SoundviewsError, match=r"pip install 'soundviews\[rooms\]'"):
        simulated_responses(RATE, count=1)
