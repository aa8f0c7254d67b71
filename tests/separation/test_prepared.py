"""Channels on disk are those made on the fly, survive interruption, and are found by any part of the corpus."""

import os
import pickle
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch

from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import training_loader
from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.core.locks import locked
from soundviews.core.progress import Advance
from soundviews.separation import channel_shards, prepared, preparing
from soundviews.separation.channel_shards import compress, decompress
from soundviews.separation.draw import Wanted
from soundviews.separation.on_the_fly import separate_wanted
from soundviews.separation.prepared import DrawnChannels, PreparedChannels, clip_keys
from soundviews.separation.preparing import Prepared, expected, prepare
from soundviews.separation.processor import Processor
from soundviews.separation.tdcn import TDCN

RATE = 8000


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    for module in (channel_shards, prepared, preparing):
        monkeypatch.setattr(module, "CLIPS_PER_SHARD", 3)


@pytest.fixture
def corpus(tmp_path, write_audio) -> Corpus:
    """Seven recordings in folds 1 and 2, the last one cut in two: eight clips, three shards."""
    seconds = [0.3, 0.2, 0.25, 0.3, 0.1, 0.2, 0.5]
    names = [write_audio(f"audio/{i}.wav", length, RATE, seed=i).name for i, length in enumerate(seconds)]
    whole = Corpus.from_columns(tmp_path / "audio", names, folds=[1, 2, 1, 2, 1, 2, 2])
    return whole.cut(0.3)


def processor(name: str, sources: int = 2, seed: int = 1) -> Processor:
    torch.manual_seed(seed)
    network = TDCN(sources, filters=8, bottleneck=8, width=12, repeats=1, blocks=2).eval()
    return Processor(name, 0, RATE, sources, f"{name}{seed}", network)


@pytest.fixture
def processors() -> list[Processor]:
    return [processor("N"), processor("S", sources=4, seed=2)]


def draw(step: int, rank: int, batch: int) -> list[Wanted]:
    rng = np.random.default_rng((step, rank))
    which, uniform = rng.integers(0, 2, batch), rng.random((batch, 2))
    return [
        Wanted(which, uniform, False, False, False),
        Wanted(which, uniform, True, True, True),
    ]


def shards(result: Prepared) -> list[Path]:
    return sorted(result.home.glob("*/*.arrow"))


@pytest.mark.parametrize(("bits", "tolerance"), [(16, 1e-4), (24, 1e-6)])
@pytest.mark.parametrize("workers", [0, 2])
def test_training_sees_the_same_as_on_the_fly(corpus, processors, tmp_path, bits, tolerance, workers):
    prepare(corpus, processors, tmp_path / "channels", bits)
    source = DrawnChannels(PreparedChannels(tmp_path / "channels", corpus, processors), draw)
    loader = training_loader(corpus, RATE, 4, 0, 0, 4, workers, channels=source, store=False)
    for step, batch in enumerate(loader):
        made = separate_wanted(processors, batch.samples, batch.lengths, draw(step, 0, 4))
        peak = made.abs().amax(dim=2, keepdim=True)
        assert ((batch.channels - made).abs() <= tolerance * peak + 1e-7).all()


def test_folds_find_their_clips_and_so_does_a_moved_corpus(corpus, processors, tmp_path):
    prepare(corpus, processors, tmp_path / "channels")
    whole = PreparedChannels(tmp_path / "channels", corpus, processors)
    rows = np.flatnonzero(corpus.column("fold") == 2)
    os.rename(tmp_path / "audio", tmp_path / "moved")
    os.rename(tmp_path / "channels", tmp_path / "elsewhere")
    part = Corpus(tmp_path / "moved", corpus.where(folds=[2]).table, [])
    found = PreparedChannels(tmp_path / "elsewhere", part, processors)
    assert len(rows) == 5
    for place in (4, 0, 2):
        np.testing.assert_array_equal(found.read(1, 3, place), _moved(whole, tmp_path).read(1, 3, int(rows[place])))
        assert found.worst(1, place) in range(4)
    assert not np.array_equal(found.read(0, 0, 3), found.read(0, 0, 4)[: len(found.read(0, 0, 3))])


def _moved(channels: PreparedChannels, tmp_path: Path) -> PreparedChannels:
    """The same, in the folders' new places."""
    channels.corpus = Corpus(tmp_path / "moved", channels.corpus.table, [])
    channels._home = tmp_path / "elsewhere" / channels._home.name
    channels._folders = [channels._home / folder.name for folder in channels._folders]
    return channels


def test_what_was_interrupted_goes_on(corpus, processors, tmp_path, monkeypatch):
    written = []

    def die(path, *rest):
        if len(written) == 3:
            path.with_name(".0000001.arrow.torn").write_bytes(b"half a shard")
            raise KeyboardInterrupt
        written.append(path)
        channel_shards.write_shard(path, *rest)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(preparing, "write_shard", die)
        prepare(corpus, processors, tmp_path / "channels")
    with pytest.raises(SoundviewsError, match=r"processor N \(N1\) for 1 of 3 shards; processor S \(S2\) for 2 of 3"):
        PreparedChannels(tmp_path / "channels", corpus, processors)
    kept = {path: path.stat().st_mtime_ns for path in written}
    os.truncate(written[0], 100)  # and a power cut tore one
    advance = Advance(16, "clips", lambda: None, 1.0)
    with monkeypatch.context() as patched:
        patched.setattr(preparing, "bar", lambda *_: nullcontext(advance))
        result = prepare(corpus, processors, tmp_path / "channels")
    assert (result.made, result.total) == (3 + 2 + 3 + 2, 16)
    assert (advance._before, advance.done) == (3 + 3, 16)
    assert all(path.stat().st_mtime_ns == kept[path] for path in written[1:])
    again = prepare(corpus, processors, tmp_path / "channels")
    assert again.made == 0
    straight = prepare(corpus, processors, tmp_path / "straight")
    assert [path.read_bytes() for path in shards(result)] == [path.read_bytes() for path in shards(straight)]


def test_one_process_prepares_the_same_clips(corpus, processors, tmp_path):
    home = prepare(corpus, processors, tmp_path / "channels").home
    with locked(home, inside=True):
        with pytest.raises(SoundviewsError, match=rf"another soundviews .* is writing {home}: .*wait=True"):
            prepare(corpus, processors, tmp_path / "channels")
        prepare(corpus.select([0]), processors, tmp_path / "channels")
    assert not (home / ".lock").exists()


def test_what_was_half_written_is_removed_when_it_is_old(corpus, processors, tmp_path):
    home = prepare(corpus, processors, tmp_path / "channels").home
    young, old = (home / "N1" / f".0000000.arrow.{age}" for age in ("0" * 12, "1" * 12))
    young.touch()
    old.touch()
    os.utime(old, (0, 0))
    prepare(corpus, processors, tmp_path / "channels")
    assert young.exists() and not old.exists()


def test_unreadable_clips_are_named_and_their_place_taken(corpus, processors, tmp_path, write_audio):
    write_audio("audio/1.wav", sample_rate=RATE, samples=np.zeros((1600, 1)))
    for row in (3, 4, 5):
        Path(corpus.clip(row).path).write_text("words")
    with pytest.raises(UnreadableClip, match=r"1\.wav: all samples are zero"):
        prepare(corpus, processors, tmp_path / "strict", strict=True)
    result = prepare(corpus, processors, tmp_path / "channels")
    assert [os.path.basename(one.path) for one in result.skipped] == ["1.wav", "3.wav", "4.wav", "5.wav"]
    assert result.skipped[0].reason == "all samples are zero"
    assert prepare(corpus, processors, tmp_path / "channels").skipped == result.skipped
    source = DrawnChannels(PreparedChannels(tmp_path / "channels", corpus, processors), draw)
    with pytest.raises(UnreadableClip, match="not audio"):
        source.prepared.read(0, 0, 3)
    loader = training_loader(corpus, RATE, 8, 0, 0, 1, 0, channels=source)
    assert set(next(iter(loader)).index.tolist()) == {0, 2, 6, 7}


def test_a_recording_that_changed_or_is_new_has_no_channels(corpus, processors, tmp_path, write_audio):
    prepare(corpus, processors, tmp_path / "channels")
    path = Path(corpus.clip(0).path)
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    corpus = Corpus(corpus.root, corpus.table, [])  # opened again
    with pytest.raises(SoundviewsError, match=r"lacks the channels of 1 of the 8 clips .*\n?.*soundviews prepare"):
        PreparedChannels(tmp_path / "channels", corpus, processors)
    with pytest.raises(SoundviewsError, match=r"of 1\d of the 1\d clips"):
        PreparedChannels(tmp_path / "channels", corpus.cut(0.1), processors)


def test_a_directory_of_an_earlier_version_is_read_and_gone_on_with(corpus, processors, tmp_path, monkeypatch):
    """They knew recordings by size and time."""
    with monkeypatch.context() as patched:
        patched.setattr(preparing, "clip_keys", lambda corpus, by_time=False: clip_keys(corpus, by_time=True))
        old = prepare(corpus, processors[:1], tmp_path / "channels")
    new = prepare(corpus, processors[:1], tmp_path / "new")
    assert old.home.name != new.home.name
    read, again = (
        PreparedChannels(folder, corpus, processors[:1]).read(0, 1, 5)
        for folder in (tmp_path / "channels", tmp_path / "new")
    )
    np.testing.assert_array_equal(read, again)
    more = prepare(corpus, processors, tmp_path / "channels")
    assert more.home == old.home and more.made == len(corpus)


def test_what_is_missing_is_said(corpus, processors, tmp_path):
    with pytest.raises(
        SoundviewsError, match=r"every clip at 8000 Hz.* soundviews prepare CORPUS --separator RUN --processors "
    ):
        PreparedChannels(tmp_path / "nothing", corpus, processors)
    prepare(corpus, processors[:1], tmp_path / "channels")
    with pytest.raises(SoundviewsError, match=r"processor S \(S2\) for 3 of 3 shards"):
        PreparedChannels(tmp_path / "channels", corpus, processors)
    retrained = processor("N", seed=5)
    with pytest.raises(SoundviewsError, match=r"processor N \(N5\)"):
        PreparedChannels(tmp_path / "channels", corpus, [retrained])
    prepare(corpus, [retrained], tmp_path / "channels")
    old = PreparedChannels(tmp_path / "channels", corpus, processors[:1])
    new = PreparedChannels(tmp_path / "channels", corpus, [retrained])
    assert not np.array_equal(old.read(0, 0, 0), new.read(0, 0, 0))
    with pytest.raises(SoundviewsError, match="bits=16"):
        prepare(corpus, [retrained], tmp_path / "channels", bits=24)


def test_a_damaged_shard_is_an_unreadable_clip(corpus, processors, tmp_path):
    result = prepare(corpus, processors, tmp_path / "channels")
    channels = PreparedChannels(tmp_path / "channels", corpus, processors)
    first, second = sorted((result.home / "N1").glob("*.arrow"))[:2]
    data = bytearray(first.read_bytes())
    place = data.index(b"fLaC")
    data[place : place + 4000] = bytes(4000)
    first.write_bytes(data)
    second.unlink()
    for row in (0, 3):
        with pytest.raises(UnreadableClip, match="damaged"):
            channels.read(0, 0, row)


def test_pickling_copies_no_index(corpus, processors, tmp_path):
    prepare(corpus, processors, tmp_path / "channels")
    channels = PreparedChannels(tmp_path / "channels", corpus, processors)
    expected_samples = channels.read(1, 2, 5)
    copy = pickle.loads(pickle.dumps(DrawnChannels(channels, draw)))
    assert copy.prepared._clips is None and not copy.prepared._shards
    np.testing.assert_array_equal(copy.prepared.read(1, 2, 5), expected_samples)


def test_a_damaged_index_is_refused_and_prepare_writes_it_anew(corpus, processors, tmp_path):
    index = prepare(corpus, processors, tmp_path / "channels").home / "clips.npy"
    whole = index.read_bytes()
    for damaged in (b"", whole[:-9] + b"\7" + whole[-8:], whole.replace(b"<u8", b"<u(")):
        index.write_bytes(damaged)
        with pytest.raises(SoundviewsError, match=r"clips\.npy is damaged"):
            PreparedChannels(tmp_path / "channels", corpus, processors)
        assert prepare(corpus, processors, tmp_path / "channels").made == 0
        assert index.read_bytes() == whole


def test_the_size_is_told_and_a_disk_too_small_refused(corpus, processors, tmp_path, monkeypatch):
    size = expected(corpus, processors, bits=24)
    assert size.seconds == pytest.approx(1.85)
    assert size.most == pytest.approx(1.85 * 8000 * 3 * (2 + 4))
    result = prepare(corpus, processors, tmp_path / "channels", bits=24)
    assert 0.2 * size.most < sum(path.stat().st_size for path in shards(result)) < 1.5 * size.most  # shards of 3 clips
    usage = type("Usage", (), {"free": 1000})()
    monkeypatch.setattr(preparing.shutil, "disk_usage", lambda path: usage)
    assert prepare(corpus, processors, tmp_path / "channels", bits=24).made == 0
    with pytest.raises(SoundviewsError, match=r"1\.0 kB free; .* take about \d+\.\d kB \(at most"):
        prepare(corpus, processors, tmp_path / "other")
    assert not {path.name for path in (tmp_path / "other").rglob("*")} & {"clips.npy", "about.json"}


def test_a_disk_that_fills_up_leaves_what_is_there(corpus, processors, tmp_path, monkeypatch):
    real, count = channel_shards.pa.OSFile, []

    def full(*arguments):
        count.append(1)
        if len(count) == 3:
            raise OSError(28, "No space left on device")
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(channel_shards.pa, "OSFile", full)
        with pytest.raises(SoundviewsError, match=r"No space left on device.*the same command goes on"):
            prepare(corpus, processors, tmp_path / "channels")
    assert len(list((tmp_path / "channels").glob("*/*/*"))) == 2 + 2  # shards and pages, no temporary file
    assert prepare(corpus, processors, tmp_path / "channels").made == 3 + 2 + 3 + 2


@pytest.mark.parametrize("bits", [16, 24])
def test_levels(bits):
    """Beyond full scale, faint, and silent: each to half a step of its own peak."""
    channels = np.stack([gain * np.random.default_rng(0).standard_normal(900) for gain in (50, 1e-7, 0)])
    kept = compress(0, channels.astype(np.float32), 2, RATE, bits)
    for place, samples in enumerate(channels):
        error = np.abs(decompress(kept, place) - samples).max()
        assert error <= np.abs(samples).max() / 2**bits * 1.02 + np.abs(samples).max() * 1e-7
    assert not decompress(kept, 2).any()
    assert kept["worst"].to_pylist() == [2, 2, 2]
    with pytest.raises(SoundviewsError, match="not finite"):
        compress(0, np.full((2, 9), np.nan, np.float32), 0, RATE, bits)


def test_one_sample():
    kept = compress(0, np.array([[0.25], [-0.5]], np.float32), 0, RATE, 16)
    assert decompress(kept, 1) == pytest.approx([-0.5])
