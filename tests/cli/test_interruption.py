"""Every verb that is asked to end says so in one line, with the code that shells know."""

import os
import signal
import subprocess
import sys

import pytest

# A verb of its own: what every verb has in common is in `soundviews.cli.app`.
PROGRAM = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in a shell's background
from soundviews.cli.app import app, main
from soundviews.core.interruption import interrupted_says

@app.command()
def wait(text: str, seconds: float = 0.0):
    try:
        with interrupted_says(text):
            print("ready", flush=True)
            time.sleep(60)
    finally:
        print("leaving", flush=True)
        time.sleep(seconds)
        print("left", flush=True)

@app.command()
def ends(kind: str):
    import warnings
    from soundviews.cli import app as package
    warnings.warn_explicit("nothing is kept", UserWarning, package.__file__, 1)
    raise {"eof": EOFError("a.npz"), "pipe": BrokenPipeError(32, "Broken pipe"), "memory": MemoryError()}[kind]

main()
"""


def start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=os.name == "posix"
    )


@pytest.mark.skipif(os.name != "posix", reason="sends the signals of POSIX")
@pytest.mark.parametrize(
    ("sent", "text", "code", "message"),
    [
        (["SIGINT"], "", 130, "the same command begins anew"),
        (["SIGTERM"], "half is kept", 143, "half is kept"),
        (["SIGTERM", "SIGTERM"], "half is kept", 143, "half is kept"),
        (["SIGINT", "SIGINT"], "half is kept", 130, "half is kept"),
        (["SIGINT", "SIGTERM"], "", 143, "the same command begins anew"),
    ],
)
def test_one_line_and_a_code(sent: list[str], text: str, code: int, message: str) -> None:
    process = start("wait", text, "--seconds", "1.5" if len(sent) > 1 else "0")
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    os.killpg(process.pid, getattr(signal, sent[0]))
    assert process.stdout.readline() == "leaving\n"
    for name in sent[1:]:
        os.killpg(process.pid, getattr(signal, name))
    assert process.stderr is not None
    output, errors = process.stdout.read(), process.stderr.read()
    assert (process.wait(30), errors.split("\n")) == (code, ["", f"soundviews: interrupted: {message}", ""])
    assert ("left" in output) == (sent[0] == "SIGTERM" or len(sent) == 1)  # a second Ctrl-C, or SIGTERM, cuts it short


@pytest.mark.parametrize(("kind", "says"), [("eof", "a.npz"), ("pipe", "stopped reading"), ("memory", "memory")])
def test_other_ends_are_said_in_one_line(kind: str, says: str) -> None:
    _, errors = (process := start("ends", kind)).communicate(timeout=30)
    assert process.returncode == 1
    warning, said = errors.splitlines()
    assert warning == "soundviews: nothing is kept"
    assert said.startswith("soundviews: ") and says in said
    assert "Aborted" not in errors
