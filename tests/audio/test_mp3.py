"""mp3 files without a length in their header, against FFmpeg's decoder."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundviews.audio.decode import probe, read

av = pytest.importorskip("av")
# FFmpeg keeps the decoder's own delay at the beginning of such a file.
DELAY = 529


def bare_mp3(path: Path, sample_rate: int, channels: int, seconds: int = 12) -> Path:
    """An mp3 of changing bit rate, loud after a faint beginning, with the frame that tells its length taken off."""
    rng = np.random.default_rng(sample_rate + channels)
    level = np.repeat([0.0005, *rng.uniform(0.01, 0.6, seconds - 1)], sample_rate)[:, None]
    noise = level * rng.standard_normal((sample_rate * seconds, channels)) / 3
    soundfile.write(path, noise, sample_rate, bitrate_mode="VARIABLE", compression_level=0.3)
    data = path.read_bytes()
    assert b"Xing" in data[:200] or b"Info" in data[:200]
    second = next(n for n in range(4, 2000) if data[n : n + 2] == data[:2] and (data[n + 2] ^ data[2]) & 0x0C == 0)
    path.write_bytes(data[second:])
    return path


def by_ffmpeg(path: Path) -> np.ndarray:
    with av.open(str(path)) as file:
        return np.concatenate([frame.to_ndarray().mean(axis=0) for frame in file.decode(audio=0)])


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sample_rate", [8000, 24000, 44100])
def test_whole_and_stretches_are_what_ffmpeg_decodes(tmp_path, sample_rate, channels):
    path = bare_mp3(tmp_path / "bare.mp3", sample_rate, channels)
    expected = by_ffmpeg(path)[DELAY:]
    whole = read(path)
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    assert probe(path).frames == len(expected)
    for start in (0.0, 0.5, 3.25, 7.0, 10.5):
        first = round(start * sample_rate)
        np.testing.assert_allclose(read(path, start, 1.0), whole[first : first + sample_rate], atol=1e-6)


def test_all_of_it_is_read_where_the_decoder_expects_less(tmp_path):
    path = bare_mp3(tmp_path / "bare.mp3", 44100, 1)
    data = path.read_bytes()
    loud = bytearray(data[:4])
    loud[2] = 0xE0 | loud[2] & 0x0C  # a first frame of 320 kbit/s makes the decoder expect a short file
    silent = bytes(loud) + bytes(144 * 320000 // 44100 - 4)
    path.write_bytes(silent + data)
    assert soundfile.info(path).duration < 11
    assert 12.0 < probe(path).seconds < 12.2
    assert len(read(path, 11.0, 1.0)) == 44100


def test_tags_and_garbage_between_frames_are_passed_over(tmp_path):
    path = bare_mp3(tmp_path / "bare.mp3", 16000, 1)
    frames = probe(path).frames
    data = path.read_bytes()
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x00" + b"\xff\xf3" * 128
    path.write_bytes(tag + data + b"TAG" + bytes(125) + data[:7])
    assert probe(path).frames == frames
    assert len(read(path)) == frames


def test_a_stretch_of_a_long_recording_reads_a_small_part_of_it(tmp_path):
    from soundviews.audio import mp3

    path = bare_mp3(tmp_path / "bare.mp3", 8000, 1, seconds=120)
    stream = mp3.without_length(str(path))
    assert stream is not None
    data, _ = stream.cut(8000 * 90, 8000 * 91)
    assert len(data.getvalue()) < path.stat().st_size / 10
