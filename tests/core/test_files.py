import os
import stat
import subprocess
import sys

import pytest

from soundviews.core.files import (
    all_written_whole,
    folder_written_whole,
    remove_unfinished,
    take_up,
    write_text_whole,
    written_whole,
)


@pytest.fixture
def usual_mask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_appears_whole_and_others_may_read_it(tmp_path, usual_mask):
    path = tmp_path / "new" / "a.txt"
    with written_whole(path) as temporary:
        temporary.write_text("one")
        assert not path.exists() and temporary.parent == path.parent and temporary.name.startswith(".")
    assert path.read_text() == "one" and mode(path) == 0o644
    write_text_whole(path, "naïve")
    assert path.read_text(encoding="utf-8") == "naïve"
    assert os.listdir(path.parent) == ["a.txt"]


def test_an_error_leaves_the_older_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("older")
    with pytest.raises(KeyboardInterrupt), written_whole(path) as temporary:
        temporary.write_text("newer, torn")
        raise KeyboardInterrupt
    assert path.read_text() == "older" and os.listdir(tmp_path) == ["a.txt"]


def test_the_temporary_file_may_lie_in_another_folder(tmp_path):
    (tmp_path / "parts").mkdir()
    with written_whole(tmp_path / "a", beside=tmp_path / "parts") as temporary:
        assert temporary.parent == tmp_path / "parts"
        temporary.touch()
    assert (tmp_path / "a").is_file()


def test_the_bytes_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    said = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (said.append("fsync"), fsync(handle))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (said.append("replace"), replace(a, b))[1])
    write_text_whole(tmp_path / "a", "text")
    assert said == ["fsync", "replace"]


def test_several_files_or_none_of_them(tmp_path):
    paths = [tmp_path / "a.wav", tmp_path / "b.wav"]
    with pytest.raises(OSError), all_written_whole(paths) as temporary:
        temporary[0].write_text("0")
        raise OSError
    assert os.listdir(tmp_path) == []
    with all_written_whole(paths) as temporary:
        for number, path in enumerate(temporary):
            path.write_text(str(number))
    assert [path.read_text() for path in paths] == ["0", "1"] and len(os.listdir(tmp_path)) == 2


def test_a_name_as_long_as_the_disk_allows(tmp_path):
    write_text_whole(tmp_path / ("ü" * 127), "text")
    assert len(os.listdir(tmp_path)) == 1


def test_a_folder_appears_whole_and_others_may_enter_it(tmp_path, usual_mask):
    path = tmp_path / "above" / "folder"
    with folder_written_whole(path) as temporary:
        (temporary / "a").touch()
        assert not path.exists()
    assert mode(path) == 0o755 and os.listdir(path) == ["a"] and os.listdir(path.parent) == ["folder"]
    with pytest.raises(OSError), folder_written_whole(path, replace=True) as temporary:
        raise OSError
    assert os.listdir(path) == ["a"] and os.listdir(path.parent) == ["folder"]


@pytest.mark.parametrize(("replace", "content"), [(True, ["new"]), (False, ["old"])])
def test_a_folder_that_is_there_is_replaced_or_stays(tmp_path, replace, content):
    path = tmp_path / "folder"
    path.mkdir()
    with folder_written_whole(path, replace) as temporary:
        (temporary / "new").touch()
        (path / "old").touch()  # another process was first
    assert os.listdir(path) == content and os.listdir(tmp_path) == ["folder"]


def test_a_folder_never_replaces_a_file(tmp_path):
    (tmp_path / "folder").touch()
    with pytest.raises(OSError), folder_written_whole(tmp_path / "folder") as temporary:
        (temporary / "new").touch()
    assert os.listdir(tmp_path) == ["folder"]


def test_what_a_killed_process_left_is_removed_in_time(tmp_path):
    old, young, busy, of_users = ".a.0123456789ab", ".b.0123456789ab", ".c.0123456789ab", ".git"
    for name in (old, young, "d"):
        (tmp_path / name).touch()
    for name in (f"{old}c", busy, of_users, ".0123456789abcdef01234567-k2_x9abc"):  # the last as 0.1 named them
        (tmp_path / name).mkdir()
        (tmp_path / name / "vectors").touch()
    (tmp_path / f"{old}c").rename(tmp_path / ".folder.0123456789ab")
    for path in tmp_path.rglob("*"):
        if not str(path).endswith((young, f"{busy}/vectors", f"{busy}\\vectors")):
            os.utime(path, (0, 0))
    remove_unfinished(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [young, busy, of_users, "d"]
    remove_unfinished(tmp_path / "nowhere")


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "disk").mkdir()
    link, target = tmp_path / "link", tmp_path / "disk" / "target"
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system makes no links")
    for text in ("one", "two"):  # a target that is not there yet, and one that is
        write_text_whole(link, text)
        assert link.is_symlink() and target.read_text() == text
    target.unlink()
    for number in range(2):
        with folder_written_whole(link, replace=True) as temporary:
            (temporary / str(number)).touch()
        assert link.is_symlink() and os.listdir(target) == [str(number)]
    assert os.listdir(tmp_path / "disk") == ["target"]


KILLED = """
import os, sys
from pathlib import Path
from soundviews.core import files

replace = os.replace
left = [int(sys.argv[2])]

def rename(old, new):
    if left[0] == 0:
        os._exit(9)  # as kill -9 does: nothing is cleaned up
    left[0] -= 1
    replace(old, new)

os.replace = rename
with files.folder_written_whole(Path(sys.argv[1]), replace=True) as temporary:
    (temporary / "new").touch()
"""


@pytest.mark.parametrize("renames", [0, 1])
def test_a_folder_is_there_again_after_a_kill_while_it_was_replaced(tmp_path, renames):
    path = tmp_path / ("a folder of a name that is longer than fifty letters and not cut for that " * 2)
    path.mkdir()
    (path / "old").touch()
    assert subprocess.run([sys.executable, "-c", KILLED, str(path), str(renames)]).returncode == 9
    assert path.exists() == (renames == 0)
    take_up(path)  # what reading does first
    assert os.listdir(path) == ["old"]
    with folder_written_whole(path, replace=True) as temporary:
        (temporary / "newer").touch()
    assert os.listdir(path) == ["newer"]
    assert not list(tmp_path.glob(".*.aside"))


def test_a_write_that_fails_takes_up_what_was_left_aside(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    subprocess.run([sys.executable, "-c", KILLED, str(path), "1"])
    with pytest.raises(RuntimeError), folder_written_whole(path, replace=True):
        raise RuntimeError
    assert os.listdir(path) == ["old"]
    assert not list(tmp_path.glob(".*.aside"))
