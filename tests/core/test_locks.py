"""Whoever comes second is told who writes, or waits; what a dead process held is free; nothing is left behind."""

import errno
import json
import os
import platform
import re
import subprocess
import sys
import threading
import time

import pytest

from soundviews.core import locks
from soundviews.core.errors import SoundviewsError, speaking_command_line
from soundviews.core.locks import locked

HOLD = """
import os, sys, time
from pathlib import Path
from soundviews.core.locks import locked
with locked(Path(sys.argv[1]), inside=True):
    {fork}
    os.write(1, b"held\\n")
    time.sleep(60)
"""
FORK = "if os.fork() == 0:\n        os.write(1, b'%d\\n' % os.getpid())\n        time.sleep(60)"


@pytest.fixture
def ask_often(monkeypatch):
    monkeypatch.setattr(locks, "ASK_SECONDS", 0.01)


@pytest.fixture
def no_system_locks(monkeypatch):
    def refuse(handle):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(locks, "_system_lock", refuse)


def refusal(path, **options):
    with pytest.raises(SoundviewsError) as raised, locked(path, **options):
        pass
    return str(raised.value)


def hold(folder, fork=""):
    program = [sys.executable, "-c", HOLD.format(fork=fork), str(folder)]
    return subprocess.Popen(program, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("inside", [True, False])
def test_the_second_is_told_who_holds_it_and_nothing_is_left(tmp_path, inside):
    path = tmp_path / "new" / "out"
    who = re.escape(f"another soundviews (pid {os.getpid()} on {platform.node()}, since ")
    with locked(path, inside=inside):
        assert re.search(rf"^{who}[-0-9: ]+\) is writing {path}: wait for it$", refusal(path, inside=inside))
        assert refusal(path, inside=inside, wait=False).endswith(": wait for it, or say wait=True")
        with speaking_command_line():
            assert refusal(path, inside=inside, wait=False).endswith(": wait for it, or say --wait")
        with locked(tmp_path / "new" / "other", inside=inside):
            pass
    assert os.listdir(tmp_path) == []
    with locked(path, inside=inside):
        path.mkdir(exist_ok=True)
        (path / "a").touch()
    assert os.listdir(path) == ["a"] and os.listdir(path.parent) == ["out"]


@pytest.mark.parametrize("inside", [True, False])
def test_what_killed_processes_left_is_removed_when_an_hour_old(tmp_path, inside):
    path = tmp_path / "out"
    folder = path if inside else tmp_path
    path.mkdir()
    others = {".gitignore", ".other.0123456789ab"} if not inside else {".gitignore"}
    for name in ("young", *others):
        (folder / (".out.123456789abc" if name == "young" else name)).touch()
    (folder / ".out.0123456789ab" / "audio").mkdir(parents=True)
    for name in (".out.0123456789ab/audio", ".out.0123456789ab", *others):
        os.utime(folder / name, (0, 0))
    with locked(path, inside=inside):
        pass
    assert set(os.listdir(folder)) - {"out"} == {".out.123456789abc", *others}


def test_an_error_frees_it(tmp_path):
    with pytest.raises(KeyboardInterrupt), locked(tmp_path / "out"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_those_who_wait_come_one_after_the_other(tmp_path, ask_often, caplog):
    (tmp_path / "out").mkdir()
    within, most = [], []

    def work():
        for _ in range(20):
            with locked(tmp_path / "out", inside=True, wait=True):
                within.append(1)
                most.append(len(within))
                time.sleep(0.0005)
                within.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    with caplog.at_level("INFO", "soundviews"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == [1] * 80 and os.listdir(tmp_path / "out") == []
    assert f"is writing {tmp_path / 'out'}: waiting for it" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_what_a_killed_process_held_is_free_though_its_worker_lives(tmp_path):
    process = hold(tmp_path, FORK)
    worker = int({process.stdout.readline(), process.stdout.readline()}.difference({"held\n"}).pop())
    assert f"pid {process.pid} on " in refusal(tmp_path, inside=True)
    process.kill()
    process.wait()
    try:
        os.kill(worker, 0)  # it is still there
        with locked(tmp_path, inside=True):
            assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()
    finally:
        os.kill(worker, 9)
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_written_is_left_to_the_caller(tmp_path):
    (tmp_path / "file").touch()
    with locked(tmp_path / "file", inside=True), locked(tmp_path / "file" / "below" / "out"):
        pass
    assert os.listdir(tmp_path) == ["file"]


def test_a_name_as_long_as_the_disk_allows(tmp_path):
    for name in ("ü" * 127, "a" * 255, "a" * 254):
        with locked(tmp_path / name):
            assert len(os.listdir(tmp_path)) == 1
            with locked(tmp_path / f"{name[:-1]}b"):
                pass


def test_a_disk_without_locks_goes_by_what_the_file_says(tmp_path, no_system_locks):
    file = tmp_path / ".lock"

    def leave(**page):
        file.write_text(json.dumps({"pid": os.getpid(), "host": platform.node(), "since": "then"} | page))

    with locked(tmp_path, inside=True):
        assert f"pid {os.getpid()} on " in refusal(tmp_path, inside=True)
    assert os.listdir(tmp_path) == []
    leave(host="elsewhere")
    assert "on elsewhere, since then" in refusal(tmp_path, inside=True)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for page, age in (({"host": "elsewhere"}, 3700), ({"pid": ended.pid}, 0)):
        leave(**page)
        os.utime(file, (time.time() - age,) * 2)
        with locked(tmp_path, inside=True):
            assert time.time() - file.stat().st_mtime < 60
    file.write_text("torn {")
    with locked(tmp_path, inside=True):
        pass


def test_on_a_disk_without_locks_the_holder_touches_its_file(tmp_path, no_system_locks, monkeypatch):
    monkeypatch.setattr(locks, "TOUCH_SECONDS", 0.01)
    with locked(tmp_path, inside=True):
        os.utime(tmp_path / ".lock", (0, 0))
        deadline = time.monotonic() + 10
        while (tmp_path / ".lock").stat().st_mtime < 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (tmp_path / ".lock").stat().st_mtime > 1
