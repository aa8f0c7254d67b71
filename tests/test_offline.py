"""Nothing leaves this machine: no verb opens a connection or looks up a name, but those that fetch a dataset."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundviews.cli.app import app, load_verbs
from tools.command_line import verbs

TINY = ["--set", "training.steps=2", "--set", "training.batch_size=4"]
ENCODER = ["--set", "encoder={vgg_like: {}}", "--set", "evaluation=null"]
PROCESSORS = ["--set", "processors.F=null", "--set", "processors.S1=null"]
COMMANDS = [
    ["recipes"],
    ["recipes", "uclser/small"],
    ["models"],
    ["reproduce", "ssep/table2", "--plan", "--stand-in", "scenes"],
    ["data", "scenes", "--to", "scenes", "--clips", "4", "--max-seconds", "5"],
    ["pretrain", "recordings", "--recipe", "uclser/small", *TINY, *ENCODER, "--out", "run"],
    ["export", "run", "--out", "bundle"],
    ["evaluate", "logmel", "--data", "recordings", "--protocol", "qbe", "--out", "judged"],
    ["compare", "run", "logmel", "--data", "recordings", "--protocol", "qbe", "--out", "compared"],
    ["embed", "run", "recordings", "--out", "archive.parquet"],
    ["search", "archive.parquet", "recordings/bell/0.wav"],
    ["separate", "train", "recordings", "--recipe", "separator/small", *TINY, *PROCESSORS, "--out", "separator"],
    ["separate", "apply", "separator", "recordings/bell/0.wav", "--out", "apart"],
    ["separate", "evaluate", "separator", "--data", "recordings", "--limit", "2"],
    ["separate", "show", "separator", "recordings/bell/0.wav", "--out", "apart.png"],
    ["prepare", "recordings", "--separator", "separator", "--channels", "channels", "--processors", "S2"],
]
# `demo` is scenes, separate train, prepare, pretrain and evaluate; `convert` reads one file and writes another.
COMPOSED = {"demo", "convert uclser20"}
PROGRAM = """
import json, sys
from soundviews.cli.app import main

def watch(event, arguments):
    # Processes of one machine talk over sockets that have a path; an address with a port is the network.
    address = arguments[1] if event in ("socket.connect", "socket.bind", "socket.sendto") else None
    # urllib3, when it is imported, binds to the loopback to see whether there is IPv6.
    if event == "socket.bind" and address[0] in ("127.0.0.1", "::1"):
        return
    if isinstance(address, tuple) or event in ("socket.getaddrinfo", "socket.gethostbyname"):
        tried.append(f"{event} {arguments[1:] if address else arguments}")
        raise OSError("the network is not there")

tried = []
sys.addaudithook(watch)
told = []
for command in json.loads(sys.argv[1]):
    sys.argv = ["soundviews", *command]
    try:
        main()
    except SystemExit as end:
        told.append([end.code or 0, list(tried)])
    tried.clear()
print(json.dumps(told))
"""


def run(commands: list[list[str]], folder: Path) -> tuple[list[tuple[int, list[str]]], str]:
    """Exit code and what was tried of the network, for each command; then what they said on stderr."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)], cwd=folder, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1]), result.stderr


@pytest.mark.slow
def test_no_verb_opens_a_connection(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, pitch in (("bell", 440), ("siren", 1200)):
        (tmp_path / "recordings" / name).mkdir(parents=True)
        for index in range(10):
            tone = 0.3 * np.sin(2 * np.pi * pitch * np.arange(32000) / 16000) + 0.05 * rng.standard_normal(32000)
            soundfile.write(tmp_path / "recordings" / name / f"{index}.wav", tone, 16000)
    told, messages = run(COMMANDS, tmp_path)
    assert len(told) == len(COMMANDS)
    for command, (code, tried) in zip(COMMANDS, told, strict=True):
        assert code == 0, f"{command}: {messages}"
        assert not tried, f"{command}: {tried}"


@pytest.mark.slow
def test_a_download_by_name_is_noticed(tmp_path: Path) -> None:
    mirror = ["--url-base", "http://localhost:9/"]  # port 9 discards, where anything is there at all
    ((code, tried),), _ = run([["data", "musan", "--to", "musan", *mirror]], tmp_path)
    assert code != 0 and any("localhost" in attempt for attempt in tried)


def test_every_verb_is_watched() -> None:
    load_verbs()
    watched = {" ".join(command[:2]) for command in COMMANDS} | {command[0] for command in COMMANDS} | COMPOSED
    names = [typed.removeprefix("soundviews ") for typed, _, _ in verbs(app)]
    assert not [name for name in names if name not in watched and not name.startswith("data ")]
