"""LogMel against librosa (centred) and a framing loop in float64 (un-centred)."""

import librosa
import numpy as np
import pytest
import scipy.signal
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.features import LogMel

UCLSER = {
    "sample_rate": 22050, "n_fft": 2048, "window_length": 660, "hop_length": 220, "n_mels": 96, "f_min": 50.0,
    "f_max": 10500.0, "window": "hamming", "mel_scale": "slaney", "power": 2.0, "log": "log10", "floor": 1.1e-8,
    "floor_mode": "add", "waveform_offset": 1.1e-8, "center": True,
}  # fmt: skip
COLA = {"sample_rate": 16000, "triangles": "mel"}


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(samples) * 0.1


def run(log_mel: LogMel, waveform: np.ndarray) -> np.ndarray:
    return log_mel(torch.from_numpy(waveform).float()[None])[0].numpy()


def framing_loop(waveform, n_fft, window_length, hop_length, window="hann"):
    """Magnitudes (frames, bins), float64, one frame after another as tf.signal.stft takes them."""
    taper = scipy.signal.get_window(window, window_length)
    spectra = []
    for start in range(0, len(waveform) - window_length + 1, hop_length):
        buffer = np.zeros(n_fft)
        buffer[:window_length] = waveform[start : start + window_length] * taper
        spectra.append(np.abs(np.fft.rfft(buffer)))
    return np.stack(spectra)


@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize("norm", [None, "slaney"])
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_centred_equals_librosa(scale, norm, power):
    waveform = noise(16001)
    log_mel = LogMel(16000, mel_scale=scale, norm=norm, power=power, floor=1e-12, center=True)
    spectrum = librosa.stft(waveform, n_fft=1024, hop_length=160, win_length=400, pad_mode="reflect")
    filters = librosa.filters.mel(
        sr=16000, n_fft=1024, n_mels=64, fmin=60, fmax=7800, htk=scale == "htk", norm=norm, dtype=np.float64
    )
    expected = (filters @ np.abs(spectrum) ** power).T
    np.testing.assert_allclose(np.exp(run(log_mel, waveform)), expected, rtol=1e-5)


@pytest.mark.parametrize("samples", [22050, 22000, 45678])
def test_uclser_front_end_equals_librosa(samples):
    waveform = noise(samples)
    spectrum = librosa.stft(
        waveform + 1.1e-8, n_fft=2048, hop_length=220, win_length=660, window="hamming", pad_mode="reflect"
    )
    filters = librosa.filters.mel(
        sr=22050, n_fft=2048, n_mels=96, fmin=50, fmax=10500, htk=False, norm=None, dtype=np.float64
    )
    expected = np.log10(filters @ np.abs(spectrum) ** 2 + 1.1e-8).T
    np.testing.assert_allclose(run(LogMel(**UCLSER), waveform), expected, rtol=1e-5, atol=1e-5)


def test_constant_padding_equals_librosa():
    waveform = noise(3000)
    log_mel = LogMel(16000, center=True, pad_mode="constant", floor=1e-12)
    spectrum = np.abs(librosa.stft(waveform, n_fft=1024, hop_length=160, win_length=400, pad_mode="constant"))
    filters = librosa.filters.mel(
        sr=16000, n_fft=1024, n_mels=64, fmin=60, fmax=7800, htk=True, norm=None, dtype=np.float64
    )
    np.testing.assert_allclose(np.exp(run(log_mel, waveform)), (filters @ spectrum).T, rtol=1e-5)


@pytest.mark.parametrize(("window", "window_length"), [("hann", 400), ("hamming", 401), ("hann", 1024)])
def test_uncentred_equals_a_framing_loop(window, window_length):
    waveform = noise(5000)
    log_mel = LogMel(16000, window=window, window_length=window_length, floor=1e-12)
    spectrum = framing_loop(waveform, 1024, window_length, 160, window)
    expected = spectrum @ log_mel.filters.double().numpy()
    np.testing.assert_allclose(np.exp(run(log_mel, waveform)), expected, rtol=1e-5)


def test_cola_front_end_has_the_published_filters_and_frames():
    """Filters as in tf.signal.linear_to_mel_weight_matrix: straight in mels, in a loop over bins and bands."""
    edges = np.linspace(1127 * np.log(1 + 60 / 700), 1127 * np.log(1 + 7800 / 700), 66)
    filters = np.zeros((513, 64))
    for bin_ in range(1, 513):
        mel = 1127 * np.log(1 + bin_ * 8000 / 512 / 700)
        for band in range(64):
            low, middle, high = edges[band : band + 3]
            filters[bin_, band] = max(0.0, min((mel - low) / (middle - low), (high - mel) / (high - middle)))
    waveform = noise(16000)
    expected = np.log(np.clip(framing_loop(waveform, 1024, 400, 160) @ filters, 1e-5, 1e8))
    got = run(LogMel(**COLA), waveform)
    assert got.shape == (98, 64)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "function"),
    [
        ({"log": "ln", "floor_mode": "clip"}, lambda mel: np.log(np.maximum(mel, 0.5))),
        ({"log": "ln", "floor_mode": "add"}, lambda mel: np.log(mel + 0.5)),
        ({"log": "log10"}, lambda mel: np.log10(np.maximum(mel, 0.5))),
        ({"log": "db", "power": 1.0}, lambda mel: librosa.amplitude_to_db(mel, amin=0.5, top_db=None)),
        ({"log": "db", "power": 2.0}, lambda mel: librosa.power_to_db(mel, amin=0.5, top_db=None)),
    ],
)
def test_logarithms_and_floors(options, function):
    waveform = noise(4000)
    log_mel = LogMel(16000, floor=0.5, **options)
    mel = framing_loop(waveform, 1024, 400, 160) ** log_mel.power @ log_mel.filters.double().numpy()
    assert (mel < 0.5).any() and (mel > 0.5).any()
    np.testing.assert_allclose(run(log_mel, waveform), function(mel), rtol=1e-5, atol=1e-5)


def test_silence_is_finite():
    assert torch.isfinite(LogMel(16000)(torch.zeros(1, 800))).all()
    assert LogMel(**UCLSER)(torch.zeros(1, 800)).allclose(torch.tensor(-7.9586))  # log10(1.1e-8)


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("n_fft", [511, 512])
def test_frames_and_samples_are_inverse(center, n_fft):
    log_mel = LogMel(16000, n_fft=n_fft, center=center)
    for frames in range(1, 12):
        samples = log_mel.samples(frames)
        assert log_mel(torch.zeros(1, samples)).shape[1] == log_mel.frames(samples) == frames
        assert samples == 1 or log_mel.frames(samples - 1) == frames - 1
    lengths = torch.arange(1, 2000, 7)
    assert log_mel.frame_counts(lengths).tolist() == [log_mel.frames(n) for n in lengths.tolist()]


def test_published_frame_counts():
    cola, uclser = LogMel(**COLA), LogMel(**UCLSER)
    assert (cola.frames(16000), cola.frames(15680), cola.frames(15360)) == (98, 96, 94)
    assert uclser.frames(22050) == 101


def test_blocks_of_frames_change_nothing():
    log_mel = LogMel(16000)
    waveforms = torch.from_numpy(np.stack([noise(80000, seed) for seed in range(3)])).float()
    together = log_mel(waveforms)  # more than one block of frames
    alone = torch.cat([log_mel(waveform[None, start : start + 400]) for waveform in waveforms for start in (0, 32000)])
    torch.testing.assert_close(together[:, [0, 200]].flatten(0, 1)[:, None], alone, rtol=1e-5, atol=1e-5)


def test_float32_under_autocast():
    log_mel, waveform = LogMel(**UCLSER), torch.from_numpy(noise(22050)).float()[None]
    expected = log_mel(waveform)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = log_mel(waveform)
    assert got.dtype == torch.float32
    assert torch.equal(got, expected)


def test_config_rebuilds_the_front_end():
    for options in (COLA, UCLSER):
        log_mel = LogMel(**options)
        assert options.items() <= log_mel.config().items()
        assert LogMel(**log_mel.config()).config() == log_mel.config()
        assert not log_mel.state_dict()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"f_max": 9000.0}, "8000"),
        ({"window": "hamingg"}, "hamming"),
        ({"window_length": 2048}, "window_length"),
        ({"mel_scale": "mel"}, "htk"),
        ({"power": 3.0}, "power"),
        ({"floor": 0.0}, "floor"),
    ],
)
def test_impossible_settings_are_named(options, words):
    with pytest.raises(SoundviewsError, match=words):
        LogMel(16000, **options)


def test_too_short_for_a_frame():
    with pytest.raises(SoundviewsError, match="one frame needs 400"):
        LogMel(16000)(torch.zeros(1, 399))


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_bands_say_their_centres(scale):
    log_mel = LogMel(16000, n_mels=40, f_min=60, f_max=7800, mel_scale=scale)
    edges = librosa.mel_frequencies(42, fmin=60, fmax=7800, htk=scale == "htk")
    np.testing.assert_allclose(log_mel.hertz, edges[1:-1])


@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize("log", ["ln", "log10", "db"])
def test_a_unit_is_so_many_decibels(power, log):
    log_mel = LogMel(16000, power=power, log=log, floor=1e-12)
    loud, soft = (run(log_mel, noise(4000) * gain) for gain in (1.0, 0.1))
    np.testing.assert_allclose((loud - soft) * log_mel.decibels, 20, atol=0.01)  # a tenth of the amplitude
