"""Recordings into channel files: what is written, what is kept, what is skipped."""

import csv
import errno
import os
import re
import resource
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from soundviews.audio.corpus import Corpus, Skipped
from soundviews.audio.decode import read
from soundviews.core.errors import SoundviewsError
from soundviews.core.locks import locked
from soundviews.core.progress import Advance
from soundviews.separation import apply, channel_files
from soundviews.separation.apply import apply_files
from soundviews.separation.output_names import Part, output_names
from soundviews.separation.processor import Processor
from soundviews.separation.tdcn import TDCN

RATE = 8000


@pytest.fixture
def processor() -> Processor:
    torch.manual_seed(1)
    network = TDCN(filters=8, bottleneck=4, width=6, repeats=2, blocks=2).eval().requires_grad_(False)
    return Processor("S2", 20, RATE, 2, "0123456789abcdef", network)


class Apart(nn.Module):
    """Three times the mixture, and what then is too much."""

    def __init__(self) -> None:
        super().__init__()
        self.somewhere = nn.Parameter(torch.zeros(1))

    def forward(self, mixture: Tensor, lengths: Tensor | None = None) -> Tensor:
        return torch.stack([3 * mixture, -2 * mixture], dim=1)


@pytest.fixture
def loud() -> Processor:
    return Processor("loud", 0, RATE, 2, "f" * 16, Apart())


def run(
    processor: Processor, root: Path, names: list[str], out: Path, skipped: list[Skipped] | None = None, **options: Any
) -> Any:
    return apply_files(processor, Corpus.from_columns(root, names, skipped=skipped or []), out, **options)


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def files_in(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


@pytest.mark.parametrize(("form", "tolerance"), [("wav", 1e-5), ("flac", 2e-5)])
def test_channels_sum_to_the_recording(
    form: str, tolerance: float, processor: Processor, tmp_path: Path, write_audio: Callable[..., Path]
) -> None:
    write_audio("in/long.wav", 3.3, RATE)
    write_audio("in/deep/stereo.flac", 1.0, 24000, channels=2)
    names = ["long.wav", "deep/stereo.flac"]
    result = run(processor, tmp_path / "in", names, tmp_path / "out", form=form, block_seconds=1.0)
    assert (result.recordings, result.already, result.scaled, result.skipped) == (2, 0, 0, [])
    for name in names:
        whole = read(tmp_path / "in" / name, sample_rate=RATE)
        channels = [soundfile.read(tmp_path / f"out/{name.split('.')[0]}_{m}.{form}") for m in (0, 1)]
        assert {rate for _, rate in channels} == {RATE}
        np.testing.assert_allclose(channels[0][0] + channels[1][0], whole, rtol=0, atol=tolerance)
    info = soundfile.info(tmp_path / f"out/long_0.{form}")
    assert info.subtype == {"wav": "FLOAT", "flac": "PCM_24"}[form]


def test_one_process_writes_and_what_killed_ones_left_goes(
    processor: Processor, tmp_path: Path, write_audio: Callable[..., Path]
) -> None:
    write_audio("in/deep/a.wav", 0.2, RATE)
    out = tmp_path / "out"
    with locked(out, inside=True), pytest.raises(SoundviewsError, match=r"another soundviews .* or say wait=True"):
        run(processor, tmp_path / "in", ["deep/a.wav"], out)
    left = [out / ".separated.csv.0123456789ab", out / "deep" / ".a_0.flac.0123456789ab"]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (0, 0))
    run(processor, tmp_path / "in", ["deep/a.wav"], out)
    assert files_in(out) == ["deep/a_0.flac", "deep/a_1.flac", "separated.csv"]


def test_a_short_recording_is_what_the_network_gives(
    processor: Processor, tmp_path: Path, write_audio: Callable[..., Path]
) -> None:
    path = write_audio("in/a.wav", 0.2, 192000, channels=2)
    run(processor, tmp_path / "in", ["a.wav"], tmp_path / "out", form="wav")
    expected = processor(torch.from_numpy(read(path, sample_rate=RATE))[None])[0].numpy()
    assert expected.shape == (2, 1600)
    for channel in (0, 1):
        written, _ = soundfile.read(tmp_path / f"out/a_{channel}.wav", dtype="float32")
        # The samples lie elsewhere in memory, for which a kernel may sum in another order: some roundings of float32.
        np.testing.assert_allclose(written, expected[channel], rtol=1e-5, atol=1e-6)


def test_a_recording_is_decoded_without_gaps(
    processor: Processor, tmp_path: Path, write_audio: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_files, "CHUNK_SECONDS", 0.5)
    path = write_audio("a.flac", 3.21, 44100)
    whole = read(path, sample_rate=RATE)
    chunks = list(channel_files.read_chunks(path, 0.0, None, RATE))
    assert [len(chunk) for chunk in chunks[:-1]] == 5 * [4000]
    np.testing.assert_allclose(np.concatenate(chunks), whole, atol=1e-6)
    part = np.concatenate(list(channel_files.read_chunks(path, 0.30004, 2.9, RATE)))
    np.testing.assert_allclose(part, whole[2400:][: len(part)], atol=1e-6)
    assert len(part) == pytest.approx(2.6 * RATE, abs=1)


def test_silence_gives_zeros(processor: Processor, tmp_path: Path, write_audio: Callable[..., Path]) -> None:
    write_audio("in/silence.wav", samples=np.zeros(20000), sample_rate=RATE)
    run(processor, tmp_path / "in", ["silence.wav"], tmp_path / "out", block_seconds=1.0)
    for channel in (0, 1):
        written, _ = soundfile.read(tmp_path / f"out/silence_{channel}.flac")
        assert len(written) == 20000 and not written.any()


def test_flac_beyond_full_scale_gets_one_gain(
    loud: Processor, tmp_path: Path, write_audio: Callable[..., Path]
) -> None:
    write_audio("in/loud.wav", 2.5, RATE)
    write_audio("in/soft.wav", samples=0.1 * np.sin(np.arange(4000)), sample_rate=RATE)
    result = run(loud, tmp_path / "in", ["loud.wav", "soft.wav"], tmp_path / "out", block_seconds=1.0)
    assert result.scaled == 1
    gains = {row["file"]: float(row["gain"]) for row in rows(tmp_path / "out/separated.csv")}
    assert gains["loud_0.flac"] == gains["loud_1.flac"] < 1 and gains["soft_0.flac"] == gains["soft_1.flac"] == 1
    first, second = (soundfile.read(tmp_path / f"out/loud_{m}.flac")[0] for m in (0, 1))
    assert np.abs(first).max() == pytest.approx(1, abs=1e-6)
    whole = read(tmp_path / "in/loud.wav")
    np.testing.assert_allclose((first + second) / gains["loud_0.flac"], whole, rtol=0, atol=1e-5)
    assert run(loud, tmp_path / "in", ["loud.wav"], tmp_path / "exact", form="wav").scaled == 0
    assert np.abs(soundfile.read(tmp_path / "exact/loud_0.wav")[0]).max() > 1


def test_the_same_command_goes_on(
    processor: Processor, tmp_path: Path, write_audio: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a.wav", "b.wav", "c.wav"]
    for number, name in enumerate(names):
        write_audio(f"in/{name}", 1.5, RATE, seed=number)

    class Interrupted(Advance):
        def __call__(self, count: float = 1, audio_seconds: float = 0.0, note: str = "") -> None:
            super().__call__(count, audio_seconds, note)
            if self.done == 1 and self.audio_seconds > 1.5:  # within the second recording
                raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(apply, "bar", lambda *_: nullcontext(Interrupted(None, "", lambda: None, 1.0)))
        run(processor, tmp_path / "in", names, tmp_path / "out", block_seconds=0.5)
    assert files_in(tmp_path / "out") == ["a_0.flac", "a_1.flac", "separated.csv"]
    with open(tmp_path / "out/separated.csv", "ab") as file:
        file.write("b.wav,0,0,b_0.flac,1.0,é".encode()[:-1] + b",0")  # a kill amidst a line, and within a letter
    before = (tmp_path / "out/a_0.flac").stat()
    result = run(processor, tmp_path / "in", names, tmp_path / "out", block_seconds=0.5)
    assert (result.recordings, result.already) == (3, 1)
    assert (tmp_path / "out/a_0.flac").stat() == before
    listed = [row["file"] for row in rows(tmp_path / "out/separated.csv")]
    assert listed == [f"{name}_{m}.flac" for name in "abc" for m in (0, 1)]
    os.utime(tmp_path / "in/b.wav", (before.st_mtime + 1000,) * 2)
    (tmp_path / "out/c_1.flac").unlink()
    result = run(processor, tmp_path / "in", names, tmp_path / "out", block_seconds=0.5)
    assert (result.recordings, result.already) == (3, 1), "changed since, or gone: separated anew"


def test_another_processor_is_refused(
    processor: Processor, loud: Processor, tmp_path: Path, write_audio: Callable[..., Path]
) -> None:
    write_audio("in/a.wav", 0.5, RATE)
    run(processor, tmp_path / "in", ["a.wav"], tmp_path / "out")
    with pytest.raises(SoundviewsError, match="S2 0123456789abcdef in blocks of 10 s, not of loud"):
        run(loud, tmp_path / "in", ["a.wav"], tmp_path / "out")
    with pytest.raises(SoundviewsError, match=r"not of S2 .* in blocks of 5 s"):
        run(processor, tmp_path / "in", ["a.wav"], tmp_path / "out", block_seconds=5.0)


def test_the_unreadable_are_named(processor: Processor, tmp_path: Path, write_audio: Callable[..., Path]) -> None:
    write_audio("in/a.wav", 0.5, RATE)
    (tmp_path / "in/text.wav").write_text("no audio")
    write_audio("in/huge.wav", samples=np.full(4000, 1e38), sample_rate=RATE, subtype="FLOAT")
    names = ["text.wav", "a.wav", "huge.wav"]
    result = run(processor, tmp_path / "in", names, tmp_path / "out", skipped=[Skipped("gone.wav", "no such file")])
    assert result.recordings == 1
    assert [row["path"] for row in rows(tmp_path / "out/skipped.csv")] == ["gone.wav", "text.wav", "huge.wav"]
    assert files_in(tmp_path / "out") == ["a_0.flac", "a_1.flac", "separated.csv", "skipped.csv"]
    with pytest.raises(SoundviewsError, match=r"text\.wav: not audio"):
        run(processor, tmp_path / "in", names, tmp_path / "strict", strict=True)
    with pytest.raises(SoundviewsError, match=r"not one.*text\.wav: not audio"):
        run(processor, tmp_path / "in", ["text.wav"], tmp_path / "none")
    run(processor, tmp_path / "in", ["a.wav"], tmp_path / "out")
    assert not (tmp_path / "out/skipped.csv").exists()


@pytest.mark.parametrize("form", ["flac", "wav"])
def test_a_full_disk_leaves_no_half_file(
    form: str, processor: Processor, tmp_path: Path, write_audio: Callable[..., Path]
) -> None:
    """A limit on the size of files stands in for the disk; it fails in the same call."""
    write_audio("in/a.wav", 0.2, RATE)
    write_audio("in/b.wav", 20, RATE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(SoundviewsError, match=r"b_0.*disk full"):
            run(processor, tmp_path / "in", ["a.wav", "b.wav"], tmp_path / "out", form=form)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files_in(tmp_path / "out") == [f"a_0.{form}", f"a_1.{form}", "separated.csv"]


def test_more_than_a_wav_can_count(
    processor: Processor, tmp_path: Path, write_audio: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_audio("in/a.wav", 0.5, RATE)
    monkeypatch.setattr(channel_files, "LARGEST_WAV", 1000)
    run(processor, tmp_path / "in", ["a.wav"], tmp_path / "out", form="wav")
    assert soundfile.info(tmp_path / "out/a_0.wav").format == "RF64"
    assert len(read(tmp_path / "out/a_0.wav")) == 4000


def test_earlier_results_are_not_separated_again(
    processor: Processor, tmp_path: Path, write_audio: Callable[..., Path]
) -> None:
    write_audio("a.wav", 0.5, RATE)
    write_audio("out/a_0.wav", 0.5, RATE)
    assert run(processor, tmp_path, ["a.wav", "out/a_0.wav"], tmp_path / "out").recordings == 1
    with pytest.raises(SoundviewsError, match="another out="):
        run(processor, tmp_path, ["a.wav"], tmp_path)


def test_every_part_has_a_name_of_its_own() -> None:
    parts = [Part("x/a.wav"), Part("x/b.wav"), Part("x/b.flac"), Part("c.wav", 0.0, 1.0), Part("c.wav", 1.5, 2.0)]
    parts += [Part("d.wav", 0.0, 1.0), Part("d.wav", 0.0, 2.0), Part("../../e.wav"), Part("../e.wav")]
    assert output_names(parts) == [
        "x/a",
        "x/b.wav",
        "x/b.flac",
        "c.wav_0s",
        "c.wav_1.5s",
        "d.wav_0s_5",
        "d.wav_0s_6",
        "e.wav_0s_7",
        "e.wav_0s_8",
    ]


def test_a_name_that_is_too_long_with_its_channel_ends_in_a_hash(
    processor: Processor, tmp_path: Path, write_audio: Callable[..., Path]
) -> None:
    long = ["ä" * 121 + end + ".wav" for end in ("", "x", "y")]
    written = output_names([Part(f"deep/{name}") for name in (*long, "ä" * 120 + ".wav")])
    assert all(len(os.fsencode(name.removeprefix("deep/"))) <= 240 for name in written)
    assert (
        all(re.fullmatch(r"deep/ä{111}~[0-9a-f]{16}", name) for name in written[:3])
        and written[3] == "deep/" + "ä" * 120
    )
    assert len(set(written)) == 4 and output_names([Part(long[1])]) == output_names([Part(long[1])])
    for seed, name in enumerate(long):
        write_audio(f"in/{name}", 0.2, RATE, seed=seed)
    for already in (0, 3):
        result = run(processor, tmp_path / "in", long, tmp_path / "out")
        assert (result.recordings, result.already, result.skipped) == (3, already, [])
    table = rows(tmp_path / "out/separated.csv")
    assert [row["recording"] for row in table] == [name for name in long for _ in range(2)]
    assert all((tmp_path / "out" / row["file"]).is_file() for row in table)


def test_what_the_disk_cannot_name_is_skipped(
    processor: Processor, tmp_path: Path, write_audio: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("long.wav", "a.wav"):
        write_audio(f"in/{name}", 0.2, RATE)
    write = channel_files.write_channels

    def refused(*arguments: Any) -> float:
        if "long" in str(arguments[2]):
            raise OSError(errno.ENAMETOOLONG, "File name too long")
        return write(*arguments)

    monkeypatch.setattr(apply, "write_channels", refused)
    result = run(processor, tmp_path / "in", ["long.wav", "a.wav"], tmp_path / "out")
    assert result.recordings == 1 and result.skipped == [
        ("long.wav", "its channels cannot be named: File name too long")
    ]
