"""Responses out of folders: every layout and every bad file, with their gain and without their delay."""

import numpy as np
import pytest

from soundviews.audio import responses
from soundviews.audio.responses import SECONDS, aligned, lead_samples, read_responses
from soundviews.core.errors import SoundviewsError

RATE = 16000
LEAD = lead_samples(RATE)


def decaying(t60: float, sample_rate: int = RATE, seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """Noise that decays by 60 dB in t60 s, behind a direct sound."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    noise = 0.1 * np.random.default_rng(seed).standard_normal(len(time)) * 10 ** (-3 * time / t60)
    noise[0] = 1.0
    return noise


def gain(taps: np.ndarray, sample_rate: int, frequencies: np.ndarray) -> np.ndarray:
    """|H(f)| of a filter, from its definition in float64."""
    phases = np.exp(-2j * np.pi * frequencies[:, None] * np.arange(len(taps)) / sample_rate)
    return np.abs(phases @ taps.astype(np.float64))


class TestAligned:
    def test_the_delay_before_the_direct_sound_is_taken_out_and_what_follows_stays(self) -> None:
        response = np.zeros(4000)
        response[[1000, 1700, 3000]] = 0.5, -0.25, 0.125
        kept = aligned(response, RATE)
        assert kept.shape == (LEAD + round(SECONDS * RATE),)
        assert dict(zip(np.flatnonzero(kept) - LEAD, kept[kept != 0], strict=True)) == {0: 0.5, 700: -0.25, 2000: 0.125}

    def test_an_echo_may_be_louder_than_the_direct_sound(self) -> None:
        response = np.zeros(4000)
        response[[300, 900]] = 0.3, 1.0
        assert aligned(response, RATE)[LEAD] == np.float32(0.3)

    def test_what_band_limiting_put_before_the_direct_sound_is_kept(self) -> None:
        response = np.sinc((np.arange(400) - 200.5) / 2) * np.hanning(400)
        kept = aligned(response, RATE)
        np.testing.assert_allclose(kept[LEAD - 30 : LEAD + 30], response[170:230], rtol=1e-6)

    def test_a_response_may_begin_with_its_direct_sound_and_be_longer_than_what_is_kept(self) -> None:
        response = np.linspace(1, 0.1, 3 * RATE)
        kept = aligned(response, RATE)
        assert not kept[:LEAD].any()
        np.testing.assert_allclose(kept[LEAD:], response[: round(SECONDS * RATE)], rtol=1e-6)


class TestFolders:
    def test_any_audio_files_at_any_depth(self, write_audio, tmp_path) -> None:
        for number, name in enumerate(("a.wav", "deep/down/b.flac", "deep/c.WAV")):
            write_audio(f"rirs/{name}", samples=0.9 * decaying(0.2 + 0.1 * number), subtype="PCM_16")
        (tmp_path / "rirs" / "readme.txt").write_text("no audio")
        rows, skipped = read_responses(tmp_path / "rirs", RATE)
        assert rows.shape == (3, LEAD + round(SECONDS * RATE)) and rows.dtype == np.float32
        assert skipped == []
        np.testing.assert_allclose(rows[:, LEAD], 0.9, atol=1e-4)

    def test_the_layouts_of_openslr_26_and_28_without_their_noises(self, write_audio, tmp_path) -> None:
        response = 0.9 * decaying(0.2, seconds=0.2)
        wanted = [
            *(
                f"simulated_rirs/{size}room/Room00{n}/Room00{n}-00001.wav"
                for size in ("small", "large")
                for n in (1, 2)
            ),
            "RIRS_NOISES/real_rirs_isotropic_noises/RVB2014_type1_rir_largeroom1_far_angla.wav",
            "RIRS_NOISES/real_rirs_isotropic_noises/RWCP_type4_rir_p30r.wav",
            "RIRS_NOISES/real_rirs_isotropic_noises/air_type1_air_binaural_booth_1_2.wav",
            "RIRS_NOISES/simulated_rirs/mediumroom/Room001/Room001-00001.wav",
        ]
        noises = [
            "RIRS_NOISES/real_rirs_isotropic_noises/RVB2014_type1_noise_largeroom1_1.wav",
            "RIRS_NOISES/real_rirs_isotropic_noises/RWCP_type5_noise_cirline_ofc_ambient1.wav",
            "RIRS_NOISES/pointsource_noises/noise-free-sound-0000.wav",
        ]
        for name in (*wanted, *noises):
            write_audio(f"slr/{name}", samples=response)
        (tmp_path / "slr/simulated_rirs/smallroom/rir_list").write_text(
            "--rir-id small-00001 --room-id small-1 x.wav\n"
        )
        rows, skipped = read_responses(tmp_path / "slr", RATE)
        assert len(rows) == len(wanted)
        assert sorted(entry.reason for entry in skipped) == [
            "1 noise recordings, no responses",
            "2 noise recordings, no responses",
        ]
        with pytest.raises(SoundviewsError, match=r"no impulse response in .*pointsource_noises.*1 noise recordings"):
            read_responses(tmp_path / "slr/RIRS_NOISES/pointsource_noises", RATE)

    def test_each_channel_is_a_response_and_a_silent_one_is_named(self, write_audio, tmp_path) -> None:
        samples = np.stack([0.1 * (n + 1) * decaying(0.3, seed=n) for n in range(6)], axis=1)
        samples = np.concatenate([np.zeros((50, 6)), samples])
        samples[:, 2] = 0
        path = write_audio("rirs/six.wav", samples=samples, subtype="FLOAT")
        rows, skipped = read_responses(tmp_path / "rirs", RATE)
        np.testing.assert_allclose(rows[:, LEAD], [0.1, 0.2, 0.4, 0.5, 0.6], rtol=1e-5)
        assert skipped == [(str(path), "channel 3: all samples are zero")]

    @pytest.mark.parametrize("rate", [8000, 44100, 48000])
    def test_at_another_rate_it_filters_as_it_did(self, rate, write_audio, tmp_path) -> None:
        response = decaying(0.3, rate)
        write_audio("rirs/a.wav", samples=response, sample_rate=rate, subtype="FLOAT")
        (row,), _ = read_responses(tmp_path / "rirs", RATE)
        frequencies = np.array([0.0, 100.0, 440.0, 1000.0, 3000.0])
        np.testing.assert_allclose(gain(row, RATE, frequencies), gain(response, rate, frequencies), rtol=0.01)
        # The direct sound stays at time 0: an impulse at another rate is a pulse around it.
        assert abs(int(np.argmax(np.abs(row))) - LEAD) <= 1

    def test_bad_files_are_skipped_and_named(self, write_audio, tmp_path) -> None:
        write_audio("rirs/good.wav", samples=decaying(0.3))
        write_audio("rirs/silent.wav", samples=np.zeros(800))
        broken = decaying(0.3)
        broken[70] = np.nan
        write_audio("rirs/nan.wav", samples=broken, subtype="FLOAT")
        (tmp_path / "rirs/empty.wav").write_bytes(b"")
        (tmp_path / "rirs/text.wav").write_text("this is no audio, whatever it is called" * 10)
        rows, skipped = read_responses(tmp_path / "rirs", RATE)
        assert len(rows) == 1
        reasons = {entry.path.rpartition("/")[2]: entry.reason for entry in skipped}
        assert reasons.keys() == {"silent.wav", "nan.wav", "empty.wav", "text.wav"}
        assert reasons["silent.wav"] == "all samples are zero"
        assert reasons["nan.wav"] == "NaN or infinite samples"
        assert reasons["empty.wav"] == "empty file"
        assert "not audio" in reasons["text.wav"]

    def test_a_folder_without_a_response_is_an_error_that_says_what_was_looked_for(self, write_audio, tmp_path) -> None:
        with pytest.raises(SoundviewsError, match="no folder of impulse responses"):
            read_responses(tmp_path / "nowhere", RATE)
        (tmp_path / "empty").mkdir()
        with pytest.raises(SoundviewsError, match=r"looked for audio files \(\*\.wav"):
            read_responses(tmp_path / "empty", RATE)
        write_audio("rirs/silent.wav", samples=np.zeros(800))
        with pytest.raises(SoundviewsError, match=r"silent\.wav: all samples are zero"):
            read_responses(tmp_path / "rirs", RATE)

    def test_of_very_many_a_seeded_sample_is_kept_and_this_is_said(self, write_audio, tmp_path, monkeypatch) -> None:
        for number in range(12):
            samples = 0.05 * (number + 1) * decaying(0.2, seconds=0.1)
            write_audio(f"rirs/{number}.wav", samples=np.stack([samples, samples], axis=1), subtype="FLOAT")
        monkeypatch.setattr(responses, "MOST", 7)
        rows, skipped = read_responses(tmp_path / "rirs", RATE)
        assert len(rows) == 7
        assert skipped == [(str(tmp_path / "rirs"), "8 of 12 files not read: 7 responses are kept")]
        np.testing.assert_array_equal(read_responses(tmp_path / "rirs", RATE)[0], rows)
        assert list(rows[:, LEAD]) != sorted(rows[:, LEAD]), "the first files were taken, not a sample"
