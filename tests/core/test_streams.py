"""What cannot be shown is not shown, what cannot be printed is told of at the end; neither ends the work."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from soundviews.core import messages, streams
from soundviews.core.progress import bar

CHILD = """
import sys
from soundviews.core.streams import not_printed, outlive_streams
outlive_streams()
for number in range(3):
    print("result \\u00e9", number, flush=True)
    print("note", number, file=sys.stderr)
error = not_printed()
open(sys.argv[1], "w").write(f"{error and error.errno} {sys.stdout.isatty()}")
"""


class Broken(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO(), "utf-8")

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def child(tmp_path: Path, **streams: Any) -> str:
    told = tmp_path / "told"
    subprocess.run([sys.executable, "-c", CHILD, str(told)], check=True, **streams)
    return told.read_text()


def test_a_pipe_that_nobody_reads_is_told_of_at_the_end(tmp_path: Path, nobody: int) -> None:
    assert child(tmp_path, stdout=nobody, stderr=nobody) == "32 False"
    assert child(tmp_path, stdout=subprocess.PIPE, stderr=nobody) == "None False"


def test_names_that_the_encoding_lacks_are_written_with_backslashes(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    assert child(tmp_path, stdout=subprocess.PIPE, env=environment) == "None False"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_told_of_at_the_end(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        assert child(tmp_path, stdout=full, stderr=full) == "28 False"


@pytest.mark.skipif(os.name != "posix", reason="closes streams with a shell")
def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    code = CHILD + "\nassert open(sys.argv[1]).fileno() > 2"
    command = 'exec "$0" -c "$1" "$2" <&- >&- 2>&-'
    subprocess.run(["sh", "-c", command, sys.executable, code, str(tmp_path / "told")], check=True)
    assert (tmp_path / "told").read_text() == "None False"


@pytest.mark.parametrize("stream", ["broken", "closed", "none"])
def test_progress_and_notices_go_on_without_standard_error(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error: io.TextIOWrapper | None = None if stream == "none" else Broken()
    if stream == "closed":
        error = io.TextIOWrapper(io.BytesIO(), "utf-8")
        error.close()
    monkeypatch.setattr(sys, "stderr", error)
    monkeypatch.setattr("soundviews.core.progress.PLAIN_EVERY", 0.0)
    with bar("separating", 3, "clips") as advance:
        advance(3)
    record = messages.logger.makeRecord("soundviews", 20, "file", 1, "notice", (), None)
    messages._Plain().emit(record)
    assert advance.done == 3 and not streams.is_terminal(error)
