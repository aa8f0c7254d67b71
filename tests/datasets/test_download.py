"""Downloads against a server that breaks off, refuses, ignores ranges or sends the wrong thing."""

import errno
import hashlib

import numpy as np
import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.download import download

CONTENT = np.random.default_rng(0).bytes(3_000_000)
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def get(server, tmp_path):
    server.files["file.zip"] = CONTENT

    def fetch(expected=MD5, **options):
        return download(f"{server.url}/file.zip", tmp_path / "file.zip", expected, pause=0.0, **options)

    return fetch


def ranges(server):
    return [asked for _, asked in server.requests]


def test_whole_file_and_its_progress(server, tmp_path, get):
    seen = []
    assert get(progress=lambda there, total: seen.append((there, total))).read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT)) and [there for there, _ in seen] == sorted(t for t, _ in seen)
    assert not (tmp_path / "file.zip.part").exists()


@pytest.mark.parametrize("right", [MD5, SHA256])
def test_a_right_file_is_not_fetched_again(server, get, right):
    get(right)
    get(right)
    assert len(server.requests) == 1


def test_a_file_that_is_there_but_wrong_is_replaced(tmp_path, get):
    (tmp_path / "file.zip").write_bytes(b"something else")
    assert get().read_bytes() == CONTENT


def test_broken_connections_are_resumed_where_they_broke(server, get):
    server.drops = [1_000_000, 500_000]
    assert get().read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=1000000-", "bytes=1500000-"]


def test_a_later_call_goes_on_from_what_was_kept(server, tmp_path, get):
    (tmp_path / "file.zip.part").write_bytes(CONTENT[:2_000_000])
    assert get().read_bytes() == CONTENT
    assert ranges(server) == ["bytes=2000000-"]


@pytest.mark.parametrize("tells_total", [True, False])
def test_a_part_that_was_complete(server, tmp_path, get, tells_total):
    server.tells_total = tells_total
    (tmp_path / "file.zip.part").write_bytes(CONTENT)
    assert get().read_bytes() == CONTENT
    assert len(server.requests) == (1 if tells_total else 2)


def test_a_part_longer_than_the_file(tmp_path, get):
    (tmp_path / "file.zip.part").write_bytes(CONTENT + b"more")
    assert get().read_bytes() == CONTENT


def test_a_part_of_another_file_costs_one_more_transfer(server, tmp_path, get):
    (tmp_path / "file.zip.part").write_bytes(b"\0" * 1000)
    assert get().read_bytes() == CONTENT
    assert ranges(server) == ["bytes=1000-", None]


def test_a_server_without_ranges_starts_anew(server, get):
    server.honours_range, server.drops = False, [1_000_000]
    assert get().read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=1000000-"]


def test_a_server_that_sends_another_range_is_not_trusted(server, get):
    server.wrong_range, server.drops = True, [1_000_000]
    assert get().read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=1000000-", None]


def test_a_busy_server_is_asked_again(server, get):
    server.refusals = [503, 429]
    assert get().read_bytes() == CONTENT


def test_progress_resets_the_patience(server, get):
    server.drops = [100_000] * 6
    assert get(attempts=2).read_bytes() == CONTENT


def test_giving_up_keeps_what_came_and_says_so(server, tmp_path, get):
    server.drops = [1_000_000]
    server.refusals = []
    server.files["file.zip"] = CONTENT

    def then_busy(there, total):
        server.refusals = [503] * 10

    with pytest.raises(SoundviewsError, match=r"503.*1,000,000 bytes are kept"):
        get(attempts=3, progress=then_busy)
    assert (tmp_path / "file.zip.part").read_bytes() == CONTENT[:1_000_000]
    server.refusals = []
    assert get().read_bytes() == CONTENT


@pytest.mark.parametrize("right", [MD5, SHA256])
def test_a_wrong_checksum_is_an_error_and_nothing_is_left(server, tmp_path, get, right):
    wrong = right[:-1] + ("1" if right[-1] == "0" else "0")
    with pytest.raises(SoundviewsError, match=f"{right} instead of {wrong}; it was removed. .* fetches it anew"):
        get(wrong)
    assert list(tmp_path.iterdir()) == []
    assert len(server.requests) == 1


def test_not_there_is_said_at_once(server, get):
    del server.files["file.zip"]
    with pytest.raises(SoundviewsError, match=r"file\.zip: the server answered 404 .*url_base="):
        get()
    assert len(server.requests) == 1


def test_no_server_and_no_address(tmp_path):
    with pytest.raises(SoundviewsError, match=r"connection failed.*Nothing came: try again when there is a network"):
        download("http://127.0.0.1:1/file.zip", tmp_path / "file.zip", MD5, attempts=2, pause=0.0)
    with pytest.raises(SoundviewsError, match="is not an address"):
        download("file.zip", tmp_path / "file.zip", MD5)


def test_a_full_disk_keeps_what_came(tmp_path, get, monkeypatch):
    def full(response, part, have, progress):
        part.write_bytes(response.read(1000))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("soundviews.datasets.download._receive", full)
    with pytest.raises(SoundviewsError, match="disk is full"):
        get()
    monkeypatch.undo()
    assert (tmp_path / "file.zip.part").read_bytes() == CONTENT[:1000]
    assert get().read_bytes() == CONTENT
