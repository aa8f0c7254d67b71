"""Downloads against a server that breaks off, refuses, ignores ranges or sends the wrong thing."""

import errno
import hashlib
import io
import stat
import zipfile

import numpy as np
import pytest

from soundviews.datasets.download import download, unpack
from soundviews.errors import SoundviewsError

CONTENT = np.random.default_rng(0).bytes(3_000_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def get(server, tmp_path):
    server.files["file.zip"] = CONTENT

    def fetch(md5=MD5, **options):
        return download(f"{server.url}/file.zip", tmp_path / "file.zip", md5, pause=0.0, **options)

    return fetch


def ranges(server):
    return [asked for _, asked in server.requests]


def test_whole_file_and_its_progress(server, tmp_path, get):
    seen = []
    assert get(progress=lambda there, total: seen.append((there, total))).read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT)) and [there for there, _ in seen] == sorted(t for t, _ in seen)
    assert not (tmp_path / "file.zip.part").exists()


def test_a_right_file_is_not_fetched_again(server, get):
    get()
    get()
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


def test_a_wrong_checksum_is_an_error_and_nothing_is_left(server, tmp_path, get):
    with pytest.raises(SoundviewsError, match=f"md5 {MD5} instead of {'0' * 32}"):
        get(md5="0" * 32)
    assert list(tmp_path.iterdir()) == []
    assert len(server.requests) == 1


def test_not_there_is_said_at_once(server, get):
    del server.files["file.zip"]
    with pytest.raises(SoundviewsError, match=r"file\.zip: the server answered 404"):
        get()
    assert len(server.requests) == 1


def test_no_server_and_no_address(tmp_path):
    with pytest.raises(SoundviewsError, match="connection failed"):
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


def archive(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return path


def test_unpacked_whole(tmp_path):
    packed = archive(tmp_path / "a.zip", {"data/": "", "data/one.wav": "1", "data/deep/two.wav": "2"})
    folder = unpack(packed, "data", tmp_path)
    assert (folder / "one.wav").read_text() == "1" and (folder / "deep" / "two.wav").read_text() == "2"


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "data/../../out.txt", "other/out.txt", "data\\..\\out.txt"])
def test_entries_outside_are_refused_before_anything_is_written(tmp_path, name):
    packed = archive(tmp_path / "a.zip", {"data/one.wav": "1", name: "evil"})
    with pytest.raises(SoundviewsError, match="nothing was unpacked"):
        unpack(packed, "data", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("data/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    packed = archive(tmp_path / "a.zip", {link: "/etc/passwd"})
    with pytest.raises(SoundviewsError, match="data/link"):
        unpack(packed, "data", tmp_path)


def test_damage_is_found_and_nothing_is_left(tmp_path):
    packed = archive(tmp_path / "a.zip", {"data/one.bin": CONTENT[:100_000]})
    content = bytearray(packed.read_bytes())
    content[50_000] ^= 0xFF
    packed.write_bytes(content)
    with pytest.raises(SoundviewsError, match="no sound zip archive"):
        unpack(packed, "data", tmp_path)
    (tmp_path / "b.zip").write_bytes(io.BytesIO(b"<html>not found</html>").getvalue())
    with pytest.raises(SoundviewsError, match="no sound zip archive"):
        unpack(tmp_path / "b.zip", "data", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "b.zip"]


def test_what_does_not_fit_is_said_before_unpacking(tmp_path, monkeypatch):
    packed = archive(tmp_path / "a.zip", {"data/one.bin": "12345"})
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 4})())
    with pytest.raises(SoundviewsError, match=r"needs 5 bytes .* 4 are free"):
        unpack(packed, "data", tmp_path)
