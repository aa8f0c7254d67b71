"""Zip and tar archives: whole or not at all, nothing outside, no links; what is damaged is named."""

import io
import itertools
import os
import stat
import tarfile
import zipfile

import numpy as np
import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.unpack import unpack

KINDS = ("a.zip", "a.tar.gz", "a.tgz")


def archive(path, entries):
    """Pack {name: content}; a name that ends in / is a folder."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in entries.items():
                file.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz") as file:
            for name, content in entries.items():
                entry = tarfile.TarInfo(name.rstrip("/"))
                entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
                entry.size = len(content)
                file.addfile(entry, io.BytesIO(content.encode() if isinstance(content, str) else content))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_unpacked_into_what_is_there(tmp_path, kind):
    (tmp_path / "out" / "data").mkdir(parents=True)
    (tmp_path / "out" / "data" / "old.wav").write_text("old")
    entries = {"data/": "", "data/one.wav": "1", "data/deep/two.wav": "2", "./three.txt": "3", "empty/": ""}
    unpack(archive(tmp_path / kind, entries), tmp_path / "out")
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*")}
    files = {"data/old.wav", "data/one.wav", "data/deep/two.wav", "three.txt"}
    assert found == {*files, "data", "data/deep", "empty"}
    assert [(tmp_path / "out" / name).read_text() for name in sorted(files)] == ["2", "old", "1", "3"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", ["../out.txt", "/out.txt", "data/../../out.txt", "C:/out.txt", "data\\..\\..\\out.txt"]
)
def test_entries_outside_are_refused_and_nothing_is_left(tmp_path, kind, name):
    packed = archive(tmp_path / kind, {"data/one.wav": "1", name: "evil"})
    with pytest.raises(SoundviewsError, match="nothing was unpacked"):
        unpack(packed, tmp_path / "deep" / "out")
    assert {path.name for path in tmp_path.rglob("*")} == {kind, "deep", "out"}


def test_links_in_zips_are_refused(tmp_path):
    link = zipfile.ZipInfo("data/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(SoundviewsError, match="data/link"):
        unpack(archive(tmp_path / "a.zip", {"data/one.wav": "1", link: "/etc/passwd"}), tmp_path)
    assert os.listdir(tmp_path) == ["a.zip"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_tars_are_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as file:
        file.addfile(tarfile.TarInfo("data/one.wav"))
        entry = tarfile.TarInfo("data/two.wav")
        entry.type, entry.linkname = kind, "data/one.wav"
        file.addfile(entry)
    with pytest.raises(SoundviewsError, match=r"data/two\.wav"):
        unpack(tmp_path / "a.tgz", tmp_path)
    assert os.listdir(tmp_path) == ["a.tgz"]


@pytest.mark.parametrize(
    ("kind", "damage"),
    # A changed byte in a tar is found by the checksum of the whole archive only.
    [*itertools.product(KINDS, ("cut", "another file")), ("a.zip", "changed")],
)
def test_damage_is_found_and_nothing_is_left(tmp_path, kind, damage):
    packed = archive(tmp_path / kind, {"data/one.bin": np.random.default_rng(0).bytes(100_000)})
    content = packed.read_bytes()
    changed = content[:30_000] + bytes(50) + content[30_050:]
    packed.write_bytes({"cut": content[:50_000], "changed": changed, "another file": b"<html>not found</html>"}[damage])
    with pytest.raises(SoundviewsError, match="no sound archive"):
        unpack(packed, tmp_path)
    assert os.listdir(tmp_path) == [kind]


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_fit_is_said_before_unpacking(tmp_path, monkeypatch, kind):
    packed = archive(tmp_path / kind, {"data/one.bin": "12345"})
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 4})())
    with pytest.raises(SoundviewsError, match=r"needs \d+ bytes .* 4 are free"):
        unpack(packed, tmp_path)
    assert os.listdir(tmp_path) == [kind]
