"""Hostile recordings: what they promise is not believed, and what they do to a decoder has a name."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from soundviews.audio import container, decode, limits
from soundviews.audio.decode import probe, read
from soundviews.core.errors import UnreadableClip


def wav(path: Path, rate: int = 16000, channels: int = 1, promised: int | None = None, frames: int = 500) -> Path:
    """A file of noise with whatever its header is to say; mono in truth."""
    data = (3000 * np.random.default_rng(0).normal(size=frames)).astype("<i2").tobytes()
    promised = len(data) if promised is None else promised
    kind = struct.pack("<IHHIIHH", 16, 1, channels, rate, 2 * rate % 2**32, 2 * channels % 2**16, 16)
    size = struct.pack("<I", min(36 + promised, 2**32 - 1))
    path.write_bytes(b"RIFF" + size + b"WAVEfmt " + kind + b"data" + struct.pack("<I", promised) + data)
    return path


def flac(path: Path, promised: int) -> Path:
    """1,000 samples, of which the header promises any number below 2^36."""
    soundfile.write(path, 0.1 * np.random.default_rng(0).normal(size=1000), 16000, format="FLAC")
    data = bytearray(path.read_bytes())
    data[21] = data[21] & 0xF0 | promised >> 32
    data[22:26] = struct.pack(">I", promised & 0xFFFFFFFF)
    path.write_bytes(data)
    return path


def mp3(path: Path, frames: int, rest: bytes) -> Path:
    path.write_bytes((b"\xff\xfb\x90\x00" + bytes(413)) * frames + rest)
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: wav(path, rate=0), "damaged"),
        (lambda path: wav(path, rate=2**31), "damaged"),
        (lambda path: wav(path, rate=2**31 - 1), "sample rate of 2147483647 Hz"),
        (lambda path: wav(path, channels=0), "damaged"),
        (lambda path: wav(path, channels=65535), "damaged"),
        (lambda path: wav(path, channels=1024), "no samples"),
        (lambda path: wav(path, promised=10**9), "truncated"),
        (lambda path: flac(path, 2**31), "promises 2147483648 frames"),
        (lambda path: flac(path, 2**36 - 1), "promises 68719476735 frames"),
        (lambda path: flac(path, 2**20), "damaged or truncated"),
        (lambda path: flac(path, 0), "does not tell how long"),
        (lambda path: path.write_bytes(b"RIFF\xff\xff\xff\x7fWAVE" + bytes(1 << 18)), "no samples within"),
        (lambda path: path.mkdir(), "not a file"),
        (lambda path: path.symlink_to(os.devnull), "not a file|no such file"),
        (lambda path: None, "no such file"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(make: Callable[[Path], Any], reason: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.wav"
    make(path)
    for use in (probe, read):
        with pytest.raises(UnreadableClip, match=reason):
            use(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX")
@pytest.mark.parametrize("name", ["pipe.wav", "pipe.m4a"])
def test_a_pipe_is_not_waited_for(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(UnreadableClip, match="not a file"):
        read(tmp_path / name)


@pytest.mark.parametrize("rest", [b"\xff" * 3000, b"\xff\xfb\xff\xff" * 3000])
def test_a_search_for_frames_ends(rest: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = mp3(tmp_path / "bytes.mp3", 3, rest + (b"\xff\xfb\x90\x00" + bytes(413)) * 3)
    whole = probe(path).frames
    monkeypatch.setattr("soundviews.audio.mp3._MOST_TRIES", 1000)
    os.utime(path, ns=(0, 0))  # what was found is remembered by the time
    assert probe(path).frames == whole / 2 - 529 / 2


def test_what_takes_too_much_memory_is_refused(tmp_path: Path) -> None:
    path = wav(tmp_path / "slow.wav", rate=1, frames=200_000)
    with pytest.raises(UnreadableClip, match="too many for one piece"):
        read(path, sample_rate=16000)
    assert len(read(path, 3.0, 2.0, 16000)) == 32000


@pytest.mark.parametrize("channels", [1, 3])
def test_blocks_are_the_whole(channels: int, write_audio: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_audio("a.flac", 0.5, channels=channels)
    whole = read(path)
    monkeypatch.setattr(decode, "BLOCK_SAMPLES", 100)
    assert np.array_equal(read(path), whole)


def test_decoding_has_a_time(write_audio: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_audio("a.flac", 0.5)
    monkeypatch.setattr(limits, "MOST_SECONDS", -1.0)
    with pytest.raises(UnreadableClip, match="takes more than"):
        read(path)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "UnicodeDecodeError"),
        (MemoryError(), "more memory"),
        (struct.error("unpack requires 4 bytes"), "unpack requires"),
        (ZeroDivisionError("division by zero"), "division by zero"),
        (OSError(5, "Input/output error"), "input/output error"),
    ],
)
def test_every_error_of_a_decoder_is_a_reason(
    error: Exception,
    reason: str,
    tmp_path: Path,
    write_audio: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = [write_audio("a.wav", 0.1), write_audio("b.wav", 0.1).rename(tmp_path / "b.m4a")]

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(decode, "_open", fail)
    monkeypatch.setattr(container, "_open", fail)
    for path in paths:
        with pytest.raises(UnreadableClip, match=reason):
            read(path)


def test_a_title_in_any_encoding_and_a_playlist_that_names_other_files(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "titled.mka"
    with av.open(str(path), "w") as out:
        out.metadata["title"] = "title"
        stream = out.add_stream("flac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.ones((1, 4096), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 16000, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"title", b"t\xff\xfe\xfae"))
    assert probe(path).frames >= 4096
    other = wav(tmp_path / "other.wav")
    (tmp_path / "list.mp4").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other.name}\n#EXT-X-ENDLIST\n")
    with pytest.raises(UnreadableClip, match="not audio"):
        read(tmp_path / "list.mp4")
