"""The cache: where it is, what becomes of what is damaged in it, and that nothing depends on it."""

import os
import tempfile
from pathlib import Path

import pytest

from soundviews.core.caches import cache_directory, discard, keep


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="SOUNDVIEWS_CACHE"):
        assert not keep(tmp_path / "file" / "below", lambda temporary: temporary.touch())
    assert keep(tmp_path / "kept", lambda temporary: temporary.touch())


def test_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("SOUNDVIEWS_CACHE", str(tmp_path / "ours"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "all"))
    assert cache_directory("a", "b") == tmp_path / "ours" / "a" / "b"
    monkeypatch.delenv("SOUNDVIEWS_CACHE")
    assert cache_directory() == tmp_path / "all" / "soundviews"
    for ignored in ("", "not/absolute"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert cache_directory() == Path.home() / ".cache" / "soundviews"

    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    assert cache_directory().parent == Path(tempfile.gettempdir())


def test_the_warning_is_the_same_for_all_of_one_cache(isolated_cache, monkeypatch):
    (isolated_cache / "scans").touch()
    (isolated_cache / "rooms").touch()
    with pytest.warns(UserWarning, match="--no-cache") as warned:
        for name in ("scans", "rooms"):
            assert not keep(isolated_cache / name / "file", lambda temporary: temporary.touch())
    assert len({str(warning.message) for warning in warned}) == 1


def test_what_is_damaged_is_removed_and_named(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("folder/file", "file"):
        (tmp_path / name).touch()
    for name in ("folder", "file"):
        with pytest.warns(UserWarning, match=rf"{name} is damaged \(it ends too early\)"):
            discard(tmp_path / name, EOFError())
    assert os.listdir(tmp_path) == []
