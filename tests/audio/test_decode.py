"""Decoding: what comes out is the recording, any stretch of it equals the whole, and bad files are named."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from soundviews.audio.decode import probe, read
from soundviews.core.errors import UnreadableClip

FORMATS = ("wav", "flac", "ogg", "opus", "mp3", "aiff")


def coloured_noise(seconds: float, sample_rate: int, channels: int, seed: int = 0) -> np.ndarray:
    """Something with energy everywhere below half the Nyquist rate, (samples, channels)."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((round(seconds * sample_rate), channels))
    return 0.2 * np.stack([np.convolve(noise[:, c], np.hanning(6) / 3, "same") for c in range(channels)], axis=1)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("formats")
    paths = {}
    for extension in FORMATS:
        rate = 48000 if extension == "opus" else 44100
        paths[extension] = folder / f"noise.{extension}"
        is_opus = extension == "opus"
        soundfile.write(
            paths[extension],
            coloured_noise(4.0, rate, 2),
            rate,
            format="OGG" if is_opus else None,
            subtype="OPUS" if is_opus else None,
        )
    return paths


@pytest.mark.parametrize("extension", FORMATS)
def test_whole_recording_is_the_mean_of_its_channels(recordings, extension):
    expected, _ = soundfile.read(recordings[extension])
    np.testing.assert_allclose(read(recordings[extension]), expected.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("sample_rate", [None, 8000, 16000, 22050, 96000])
def test_a_stretch_equals_the_same_stretch_of_the_whole(recordings, extension, sample_rate):
    whole = read(recordings[extension], sample_rate=sample_rate)
    rate = sample_rate or probe(recordings[extension]).sample_rate
    for start, duration in ((0.0, 0.5), (0.01, 0.96), (1.23456, 1.0), (3.3, 0.7), (3.9, None)):
        stretch = read(recordings[extension], start, duration, sample_rate)
        end = None if duration is None else round((start + duration) * rate)
        expected = whole[round(start * rate) : end]
        assert len(stretch) == len(expected)
        np.testing.assert_allclose(stretch, expected, atol=2e-6)


def test_an_mp3_without_a_length_in_its_header_is_still_exact(recordings, tmp_path):
    data = recordings["mp3"].read_bytes()
    second_frame = data.index(data[:3], 4)
    assert b"Xing" in data[:second_frame] or b"Info" in data[:second_frame]
    bare = tmp_path / "bare.mp3"
    bare.write_bytes(data[second_frame:])
    whole = read(bare)
    assert len(whole) > 3.9 * 44100
    np.testing.assert_allclose(read(bare, 2.0, 1.0), whole[88200:132300], atol=1e-6)


@pytest.mark.parametrize("sample_rate", [8000, 11025, 44100, 48000, 96000, 192000])
def test_any_rate_is_resampled_like_the_reference(write_audio, sample_rate):
    path = write_audio("a.wav", sample_rate=sample_rate, subtype="FLOAT")
    samples, _ = soundfile.read(path, dtype="float32")
    expected = soxr.resample(samples, sample_rate, 16000, quality="HQ")
    np.testing.assert_allclose(read(path, sample_rate=16000), expected, atol=1e-6)


def test_eight_channels(write_audio):
    samples = coloured_noise(0.5, 16000, 8)
    path = write_audio("eight.wav", samples=samples, subtype="FLOAT")
    assert probe(path).channels == 8
    np.testing.assert_allclose(read(path), samples.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("name", ["two words.wav", "new\nline.wav", "Vögel 鳥.wav", "semi;colon,comma.wav", "-x.wav"])
def test_names(write_audio, name):
    assert len(read(write_audio(name, seconds=0.25))) == 4000


def reason(path: Path, **options) -> str:
    with pytest.raises(UnreadableClip) as caught:
        read(path, **options)
    assert str(path) not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_truncated_files_are_not_taken_for_whole_ones(recordings, tmp_path, extension, share):
    data = recordings[extension].read_bytes()
    path = tmp_path / f"cut.{extension}"
    path.write_bytes(data[: int(len(data) * share)])
    assert "truncated" in reason(path)
    with pytest.raises(UnreadableClip):
        probe(path)


def test_the_sound_part_of_a_truncated_file_can_still_be_read(recordings, tmp_path):
    data = recordings["ogg"].read_bytes()
    path = tmp_path / "cut.ogg"
    path.write_bytes(data[: len(data) // 2])
    np.testing.assert_allclose(read(path, 0.5, 0.5), read(recordings["ogg"], 0.5, 0.5), atol=1e-6)


def test_a_header_alone_is_truncated(recordings, tmp_path):
    for extension in FORMATS:
        path = tmp_path / f"head.{extension}"
        path.write_bytes(recordings[extension].read_bytes()[:40])
        assert reason(path)


def test_a_wav_whose_recorder_did_not_write_its_length_is_read(write_audio):
    path = write_audio("stream.wav", subtype="PCM_16")
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert len(read(path)) == 16000


def test_empty_missing_and_text(tmp_path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("not audio at all, just some words\n" * 20)
    assert reason(tmp_path / "empty.wav") == "empty file"
    assert reason(tmp_path / "text.wav").startswith("not audio")
    assert reason(tmp_path / "none.wav") == "no such file"


def test_samples_far_beyond_any_full_scale(write_audio):
    samples = np.ones(1000)
    samples[500] = -(2.0**31)  # integers written as float are known to happen
    assert len(read(write_audio("loud.wav", samples=samples, subtype="FLOAT"))) == 1000
    samples[500] = 1e25
    assert (
        reason(write_audio("huge.wav", samples=samples, subtype="FLOAT"))
        == "samples of up to 1e+25, where full scale is 1"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity(write_audio, value):
    samples = coloured_noise(0.5, 16000, 1)
    samples[4000] = value
    path = write_audio("bad.wav", samples=samples, subtype="FLOAT")
    assert reason(path) == "NaN or infinite samples"
    assert len(read(path, start=0.3)) == 3200


def test_silence(write_audio):
    samples = np.concatenate([np.zeros(16000), 0.1 * np.ones(16000)])
    path = write_audio("half.wav", samples=samples)
    assert reason(path, duration=1.0) == "all samples are zero"
    assert reason(path, duration=1.0, sample_rate=8000) == "all samples are zero"
    assert not read(path, duration=1.0, allow_silence=True).any()
    assert len(read(path)) == 32000


def test_one_sample_and_none(write_audio):
    assert reason(write_audio("one.wav", samples=np.array([0.5]))) == "only one sample"
    assert reason(write_audio("none.wav", samples=np.zeros(0))) == "no samples"


def test_a_stretch_outside_the_recording(write_audio):
    path = write_audio("a.wav", seconds=1.0)
    assert "1.000 s long" in reason(path, start=2.0)
    assert len(read(path, start=0.75, duration=10.0)) == 4000


def test_permissions(write_audio, monkeypatch):
    path = write_audio("locked.wav")

    def refuse(*_args, **_options):
        raise soundfile.LibsndfileError(2, "Error opening: ")

    def denied(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(soundfile, "SoundFile", refuse)
    monkeypatch.setattr("builtins.open", denied)
    assert reason(path) == "permission denied"
