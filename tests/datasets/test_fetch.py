"""Fetching a dataset's archives from a local server: each once, checked, where it belongs."""

import hashlib
import io
import tarfile
import zipfile
from contextlib import nullcontext

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.core.progress import Advance
from soundviews.datasets import fetch as fetch_module
from soundviews.datasets.fetch import fetch, located
from soundviews.datasets.origin import Archive, Origin


def tarred(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def zipped(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return packed.getvalue()


@pytest.fixture
def origin(server, monkeypatch):
    """A tar for the root, a zip for a folder, and a table."""
    monkeypatch.setattr("soundviews.datasets.download.time.sleep", lambda seconds: None)
    tar, table = tarred({"set/train/a.wav": b"a" * 1000, "set/train/b.wav": b"b"}), b"path,label\n"
    server.files |= {"some/main.tar.gz": tar, "wav.zip": zipped({"wav/c.wav": b"c"}), "table.csv": table}
    return Origin(
        about="Three files",
        licence="none",
        archives=(
            Archive(f"{server.url}/some/main.tar.gz", f"sha256:{hashlib.sha256(tar).hexdigest()}"),
            Archive(f"{server.url}/wav.zip", f"md5:{hashlib.md5(server.files['wav.zip']).hexdigest()}", "birds"),
            Archive(f"{server.url}/table.csv", f"md5:{hashlib.md5(table).hexdigest()}", "meta"),
        ),
    )


FILES = {"set/train/a.wav", "set/train/b.wav", "birds/wav/c.wav", "meta/table.csv"}


def seen(root):
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and p.name[0] != "."}


def test_everything_lands_where_it_belongs_and_is_fetched_once(server, origin, tmp_path, monkeypatch):
    server.drops = [100]
    bars = {}

    def bar(label, total, unit, shown):
        bars[label] = Advance(total, unit, lambda: None, 1.0)
        return nullcontext(bars[label])

    monkeypatch.setattr(fetch_module, "bar", bar)
    fetch(origin, tmp_path)
    assert seen(tmp_path) == FILES
    assert (tmp_path / "set/train/a.wav").read_bytes() == b"a" * 1000
    sizes = {name.split("/")[-1]: (len(content),) * 2 for name, content in server.files.items()}
    assert {name: (advance.done, advance.total) for name, advance in bars.items()} == sizes
    server.requests.clear()
    fetch(origin, tmp_path)
    assert server.requests == []


def test_a_failure_keeps_what_is_done_and_the_next_call_goes_on(server, origin, tmp_path):
    whole = server.files.pop("wav.zip")
    with pytest.raises(SoundviewsError, match="404"):
        fetch(origin, tmp_path)
    server.files["wav.zip"] = whole
    server.requests.clear()
    fetch(origin, tmp_path, keep_archives=True)
    assert [path for path, _ in server.requests] == ["/wav.zip", "/table.csv"]
    assert seen(tmp_path) == FILES | {"wav.zip"}


def test_an_unpacking_that_failed_is_repeated_without_another_transfer(server, origin, tmp_path):
    (tmp_path / "set").write_text("a file where a folder must go")
    with pytest.raises(SoundviewsError, match="cannot unpack"):
        fetch(origin, tmp_path)
    (tmp_path / "set").unlink()
    server.requests.clear()
    fetch(origin, tmp_path)
    assert seen(tmp_path) == FILES and [path for path, _ in server.requests] == ["/wav.zip", "/table.csv"]


def test_a_mirror_and_a_tampered_archive(server, origin, tmp_path):
    server.files["main.tar.gz"] = server.files["some/main.tar.gz"] + b"x"
    with pytest.raises(SoundviewsError, match="instead of sha256:"):
        fetch(origin, tmp_path, url_base=server.url + "/")
    assert server.requests[0] == ("/main.tar.gz", None) and list(tmp_path.iterdir()) == []


class Layout:
    @staticmethod
    def matches(root):
        return (root / "train").is_dir()


def test_the_folder_that_an_archive_brings_is_found(tmp_path):
    assert located(Layout, tmp_path / "nowhere") is None and located(Layout, tmp_path) is None
    (tmp_path / "set" / "train").mkdir(parents=True)
    assert located(Layout, tmp_path) == tmp_path / "set"
    assert located(Layout, tmp_path / "set") == tmp_path / "set"
