"""m4a, mp4 and webm through PyAV, and what happens without it."""

import sys
from pathlib import Path

import numpy as np
import pytest

from soundviews.audio.decode import probe, read
from soundviews.core.errors import UnreadableClip


def write_container(path: Path, codec: str, seconds: float = 4.0, rate: int = 48000) -> np.ndarray:
    """A sweep, encoded; returns the samples that went in."""
    av = pytest.importorskip("av")
    time = np.arange(round(seconds * rate)) / rate
    samples = (0.4 * np.sin(2 * np.pi * (200 + 300 * time) * time)).astype(np.float32)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.stack([samples, samples]), format="fltp", layout="stereo")
        frame.sample_rate = rate
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="stereo", rate=rate, frame_size=960)
        for block in (*resampler.resample(frame), *resampler.resample(None)):
            for packet in stream.encode(block):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)
    return samples


@pytest.mark.parametrize(("name", "codec"), [("a.m4a", "aac"), ("a.mp4", "aac"), ("a.webm", "libopus")])
def test_a_stretch_equals_the_same_stretch_of_the_whole(tmp_path, name, codec):
    path = tmp_path / name
    samples = write_container(path, codec)
    assert probe(path).sample_rate == 48000
    whole = read(path, sample_rate=16000)
    assert abs(len(whole) / 16000 - len(samples) / 48000) < 0.1
    for start, duration in ((0.0, 0.5), (1.2345, 1.0), (3.0, 0.5)):
        stretch = read(path, start, duration, 16000)
        expected = whole[round(start * 16000) : round((start + duration) * 16000)]
        assert len(stretch) == len(expected)
        assert np.abs(stretch - expected).max() < 2e-3


def test_damaged_containers_are_named(tmp_path):
    pytest.importorskip("av")
    (tmp_path / "text.m4a").write_text("words " * 100)
    (tmp_path / "empty.webm").touch()
    for name, expected in (("text.m4a", "not audio"), ("empty.webm", "empty file"), ("no.mp4", "no such file")):
        with pytest.raises(UnreadableClip, match=expected):
            read(tmp_path / name)


def test_without_pyav_the_reason_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.m4a").write_bytes(b"x")
    with pytest.raises(UnreadableClip, match=r"soundviews\[video\]"):
        read(tmp_path / "a.m4a")
