"""A recording is known by its content, and is opened once as long as it stays as it is."""

import builtins
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from soundviews.audio import known
from soundviews.audio.content import BLOCKS, WHOLE, content_of
from soundviews.audio.corpus import Corpus
from soundviews.audio.known import file_stats, look_at
from soundviews.audio.limits import NOT_A_FILE
from soundviews.audio.store import ClipStore
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus

RATE = 8000
only_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has neither ctime nor named pipes")


def replace_content(path: Path, seed: int) -> None:
    """Other samples in the same file, of the same size and time."""
    before, whole = path.stat(), path.read_bytes()
    noise = np.random.default_rng(seed).integers(-3000, 3000, (len(whole) - 44) // 2, np.int16).tobytes()
    path.write_bytes(whole[:44] + noise)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def folders(tmp_path: Path, write_audio: Callable[..., Path]) -> tuple[Path, Path]:
    """A folder, and a copy whose recordings were replaced: equal names, sizes and times."""
    for number in range(4):
        os.utime(write_audio(f"a/{number}.wav", 0.2, RATE, seed=number, subtype="PCM_16"), (1_577_836_800,) * 2)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    for number, path in enumerate(sorted((tmp_path / "b").iterdir())):
        replace_content(path, number)
    return tmp_path / "a", tmp_path / "b"


@contextmanager
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The recordings that are opened within the block."""
    names: list[str] = []
    open_all, open_one = known.open_all, builtins.open

    def counting(wanted, *rest):
        names.extend(os.path.basename(one.path) for one in wanted)
        return open_all(wanted, *rest)

    def counting_open(file, *rest, **options):
        if str(file).endswith(".wav"):
            names.append(os.path.basename(str(file)))
        return open_one(file, *rest, **options)

    with monkeypatch.context() as patched:
        patched.setattr(known, "open_all", counting)
        patched.setattr(builtins, "open", counting_open)
        yield names


def manifest(folder: Path) -> Path:
    path = folder / "clips.csv"
    path.write_text("path\n" + "".join(f"{number}.wav\n" for number in range(4)))
    return path


@pytest.mark.parametrize(
    "name",
    [
        lambda folder: folder,
        manifest,
        lambda folder: [folder / f"{number}.wav" for number in range(4)],
        lambda folder: Corpus.from_columns(folder, [f"{number}.wav" for number in range(4)]),
    ],
    ids=["folder", "manifest", "files", "columns"],
)
def test_a_copy_with_other_content_is_another_corpus(folders, name):
    corpora = [open_corpus(name(folder)) for folder in folders]
    assert corpora[0].fingerprint != corpora[1].fingerprint
    stores = [ClipStore(corpus, RATE) for corpus in corpora]
    for number in range(4):
        assert not np.array_equal(stores[0][number], stores[1][number])


def test_a_moved_or_copied_folder_is_the_same_corpus(folders, tmp_path):
    before = open_corpus(folders[0]).fingerprint
    shutil.copytree(folders[0], tmp_path / "copy", copy_function=shutil.copy)  # with times of its own
    os.rename(folders[0], tmp_path / "moved")
    assert open_corpus(tmp_path / "copy").fingerprint == open_corpus(tmp_path / "moved").fingerprint == before


@only_posix
def test_a_recording_changed_in_place_is_noticed_though_its_time_is_the_old_one(folders):
    before = open_corpus(folders[0]).fingerprint
    replace_content(folders[0] / "2.wav", 9)
    assert open_corpus(folders[0]).fingerprint != before


def test_nothing_is_opened_as_long_as_nothing_changes(folders, monkeypatch, write_audio):
    manifest(folders[0])
    with opened(monkeypatch) as names:
        first = open_corpus(folders[0]).fingerprint
        assert sorted(set(names)) == ["0.wav", "1.wav", "2.wav", "3.wav"]
        del names[:]
        assert open_corpus(folders[0]).fingerprint == first
        assert open_corpus(folders[0] / "clips.csv").cut(0.1).fingerprint
        assert open_corpus([folders[0] / "0.wav", folders[0] / "3.wav"]).fingerprint
        assert names == []
        write_audio("a/4.wav", 0.2)
        replace_content(folders[0] / "1.wav", 5)
        assert len(open_corpus(folders[0])) == 5
        assert sorted(set(names)) == (["1.wav", "4.wav"] if os.name == "posix" else ["4.wav"])


def test_a_recording_that_cannot_be_read_is_looked_at_again(folders, monkeypatch):
    (folders[0] / "bad.wav").write_text("words")
    for _ in range(2):
        with opened(monkeypatch) as names:
            corpus = open_corpus(folders[0])
            assert "bad.wav" in names and len(corpus) == 4 and len(corpus.skipped) == 1
    with opened(monkeypatch) as names:
        look_at(folders[0], pa.array(["bad.wav", "nowhere.wav"]), headers=False)
    assert names == []  # what it holds is known; only its length is not


def test_part_of_a_large_file_tells_it_apart(tmp_path):
    path = tmp_path / "long.wav"
    data = bytearray(np.random.default_rng(0).bytes(4 * WHOLE))
    path.write_bytes(data)
    size = len(data)
    plain = content_of(str(path), size, 5_000_000_000)
    assert content_of(str(path), size, 5_900_000_000) == plain  # the same second, as archives keep it
    assert content_of(str(path), size, 6_000_000_000) != plain
    for start in (0, size // 2, size - 1):
        # As long as the distance of two blocks: it meets one wherever it lies.
        stop = min(size, start + size // (BLOCKS - 1))
        path.write_bytes(data[:start] + bytes(byte ^ 1 for byte in data[start:stop]) + data[stop:])
        assert content_of(str(path), size, 5_000_000_000) != plain


def test_the_time_of_a_small_file_says_nothing(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * WHOLE)
    assert content_of(str(tmp_path / "a"), WHOLE, 1) == content_of(str(tmp_path / "a"), WHOLE, 10**18)
    assert content_of(str(tmp_path / "absent"), WHOLE, 1) == 0


def test_fingerprints_of_earlier_versions_are_recognised(tmp_path):
    for number in range(2):
        (tmp_path / f"{number}.wav").write_bytes(b"RIFF" * (number + 1))
        os.utime(tmp_path / f"{number}.wav", (1_577_836_800, 1_577_836_800))
    corpus = Corpus.from_columns(tmp_path, ["0.wav", "1.wav", "0.wav"], labels=[["x"], [], ["y"]], folds=[1, 2, None])
    assert corpus.is_known_as("04fa313aed608ec17edf11fa37fe2950")
    assert corpus.is_known_as(corpus.fingerprint)
    os.utime(tmp_path / "1.wav", (1, 1))
    assert not corpus.is_known_as("04fa313aed608ec17edf11fa37fe2950")


@only_posix
def test_what_is_no_file_is_named_and_never_opened(folders, monkeypatch):
    folder = folders[0]
    os.mkfifo(folder / "pipe.wav")
    listening = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(folder)  # a socket's path is short
    listening.bind("socket.wav")
    os.symlink("self", folder / "self")
    os.symlink("loop.wav", folder / "loop.wav")
    try:
        corpus = open_corpus(folder)
    finally:
        listening.close()
    assert len(corpus) == 4
    reasons = {os.path.basename(path): reason for path, reason in corpus.skipped}
    levels = "too many levels of symbolic links"
    assert reasons == {"pipe.wav": NOT_A_FILE, "socket.wav": NOT_A_FILE, "self": levels, "loop.wav": levels}
    (folder / "list.csv").write_text("path\npipe.wav\n0.wav\n")
    assert [entry.reason for entry in open_corpus(folder / "list.csv").skipped] == [NOT_A_FILE]
    assert [entry.reason for entry in open_corpus([folder / "pipe.wav", folder / "0.wav"]).skipped] == [NOT_A_FILE]
    with pytest.raises(SoundviewsError, match=f"pipe.wav: {NOT_A_FILE}"):
        open_corpus(folder / "pipe.wav")
    assert file_stats(str(folder / "pipe.wav")) == known.ABSENT == file_stats("a\0b")


def test_what_is_damaged_is_named_and_made_anew(folders, isolated_cache):
    expected = open_corpus(folders[0]).fingerprint
    (kept,) = (isolated_cache / "scans").iterdir()
    whole = kept.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"words" * 100):
        kept.write_bytes(damaged)
        with pytest.warns(UserWarning, match=f"{kept.name} is damaged"):
            assert open_corpus(folders[0]).fingerprint == expected
        assert kept.stat().st_size == len(whole)
