"""Killed at any moment of its beginning, a run is none or is one: the same call goes on; and one process writes it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.core.locks import locked
from soundviews.datasets.opening import open_corpus
from soundviews.pretraining.directory import is_run, require_empty
from soundviews.pretraining.going_on import warn_of_other_threads
from soundviews.pretraining.run import pretrain, resume
from soundviews.pretraining.separator_run import train
from soundviews.pretraining.settings import CorpusFacts, Environment, RunSettings
from soundviews.recipes.loading import load_separator_recipe
from soundviews.recipes.schema import Recipe

from .conftest import OPTIONS, TINY

Make = Callable[..., Recipe]

# Each child process is killed as kill -9 does it, before the nth of its changes of the run's directory; the same call
# comes next in another child, and then one with another recipe. They train nothing.
PROGRAM = """
import json, os, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from soundviews.core.errors import SoundviewsError
from soundviews.core.files import is_temporary
from soundviews.datasets.opening import open_corpus
from soundviews.pretraining import run as run_module, separator_run
from soundviews.pretraining.directory import is_run
from soundviews.recipes.loading import load_recipe, load_separator_recipe
from soundviews.recipes.schema import Statistics

kind, folder, options = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
directory = folder / "run"
corpus = open_corpus(folder / "labelled")
corpus.fingerprint
mark = lambda run, *rest: (run.directory / "trained").touch()
run_module.fit = separator_run.fit = mark
run_module._finish = lambda *arguments: None
run_module.corpus_statistics = lambda *arguments: Statistics(mean=0.0, std=1.0)


load, base = (load_recipe, "uclser") if kind == "pretrain" else (load_separator_recipe, "separator")
recipe, other_recipe = load(base, options), load(base, [*options, "training.seed=5"])
if kind == "pretrain":
    parts = run_module.build(recipe)
    run_module.build = lambda recipe: parts


def begin(recipe=recipe):
    if kind == "pretrain":
        run_module.pretrain(recipe, corpus, directory, workers=0, evaluation_data=corpus)
    else:
        separator_run.train(recipe, corpus, directory, workers=0)


def child(work):
    process = os.fork()
    if process == 0:
        try:
            work()
        except SoundviewsError as error:
            print(error, flush=True)
            os._exit(1)
        except BaseException:
            import traceback; traceback.print_exc(); sys.stderr.flush(); os._exit(2)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def killed_before(number):
    count = 0

    def hook(event, arguments):
        nonlocal count
        changes = event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod") or (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR))
        path = str(arguments[0])
        if changes and path.startswith(str(directory)) and not path.endswith(".lock"):
            count += 1
            if count == number:
                os._exit(9)

    sys.addaudithook(hook)
    begin()


for number in range(1, 1000, 1 if kind == "pretrain" else 3):
    code = child(lambda: killed_before(number))
    begun = is_run(directory)
    other = child(lambda: begin(other_recipe)) if number % 7 in (1, 6) else None
    if other == 0:
        assert not begun, number
        os.system(f"rm -r {directory}")
    assert other in (None, 0, 1) and (other == 1) == (begun and other is not None), (number, other, begun)
    assert child(begin) == 0, number
    left = sorted(name for name in os.listdir(directory) if not is_temporary(name))
    assert is_run(directory) and "trained" in left and ".lock" not in left, (number, left)
    os.system(f"rm -r {directory}")
    if code == 0:
        break
    assert code == 9
print("moments", number)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("kind", ["pretrain", "separate train"])
def test_killed_while_it_begins(kind: str, labelled: Path, tmp_path: Path) -> None:
    if kind == "pretrain":
        options = [*TINY, "evaluation={protocol: qbe, metric: mAP, steps: 1}", "training.steps=2"]
    else:
        small = [f"separator.tdcn.{name}={value}" for name, value in OPTIONS.items()]
        options = [*small, "audio.sample_rate=8000", "training.batch_size=4", "processors={F: null, S1: null}"]
    arguments = [kind, str(tmp_path), json.dumps(options)]
    program = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=300, cwd=tmp_path
    )
    assert program.returncode == 0, program.stdout + program.stderr
    assert int(program.stdout.split()[-1]) >= 10
    assert re.search(r"training\.seed is \d+ there and 5 here", program.stdout)


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    for name, text in (("thesis.txt", "mine"), ("environment.json", "{}"), ("corpus.arrow", "mine"), (".git", "x")):
        folder = tmp_path / name.strip(".")
        folder.mkdir()
        (folder / name).write_text(text)
        with pytest.raises(SoundviewsError, match="is not empty and holds no run"):
            require_empty(folder)
        assert (folder / name).read_text() == text
    (tmp_path / "lost" / "checkpoints").mkdir(parents=True)
    (tmp_path / "lost" / "checkpoints" / "last.ckpt").touch()
    with pytest.raises(SoundviewsError, match="is not empty and holds no run"):
        require_empty(tmp_path / "lost")


def test_one_process_writes_a_run(tiny_recipe: Make, labelled: Path, tmp_path: Path) -> None:
    recipe, separator = tiny_recipe("training.steps=1"), load_separator_recipe("separator", ["training.steps=10000"])
    run = tmp_path / "run"
    with locked(run, inside=True):
        for begin in (lambda: pretrain(recipe, labelled, run), lambda: train(separator, str(labelled), run)):
            with pytest.raises(SoundviewsError, match=rf"another soundviews \(pid {os.getpid()} .*, or say wait=True"):
                begin()
    assert not run.exists()
    pretrain(recipe, labelled, run, workers=0)
    with locked(run, inside=True), pytest.raises(SoundviewsError, match="is writing"):
        resume(run)
    assert ".lock" not in os.listdir(run)


DAMAGES = ["", "{", "[]", "5", "{}", '{"soundviews": 5, "corpus": []}', "[" * 2_000, '{"settings": {"devices": "a"}}']


@pytest.mark.parametrize("text", DAMAGES, ids=range(len(DAMAGES)))
def test_a_damaged_page_is_named_in_one_line(text: str, tiny_recipe: Make, labelled: Path, tmp_path: Path) -> None:
    run, recipe = tmp_path / "run", tiny_recipe("training.steps=1")
    run.mkdir()
    Environment(corpus=CorpusFacts(clips=1, fingerprint="", skipped=0), settings=RunSettings(data=str(labelled))).write(
        run
    )
    environment = (run / "environment.json").read_text()
    for name, other, content in (
        ("environment.json", "recipe.yaml", "encoder: {}"),
        ("recipe.yaml", "environment.json", environment),
    ):
        (run / name).write_text(text)
        (run / other).write_text(content)
        assert is_run(run)
        for again in (lambda: resume(run), lambda: pretrain(recipe, labelled, run, workers=0)):
            with pytest.raises(SoundviewsError) as raised:
                again()
            assert name in str(raised.value) and "\n" not in str(raised.value)


def test_another_number_of_threads_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, labelled: Path
) -> None:
    environment = Environment.of(open_corpus(labelled), RunSettings(data="x"))
    assert environment.threads == torch.get_num_threads()
    warn_of_other_threads(tmp_path, environment)
    warn_of_other_threads(tmp_path, environment.model_copy(update={"threads": None}))  # of an earlier version
    assert not caplog.records
    warn_of_other_threads(tmp_path, environment.model_copy(update={"threads": 1000}))
    assert "began with 1000 threads" in caplog.text and len(caplog.records) == 1
