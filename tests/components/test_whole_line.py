"""docs/components.md from end to end: its module and its recipe, through every verb, in processes of their own."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs" / "components.md"
SHORT = ["training.steps=2", "training.batch_size=4", "training.precision=32-true", "evaluation=null"]


def block(name: str) -> str:
    """The code of the page that begins with a comment of this name."""
    (found,) = [
        code for code in re.findall(r"```\w+\n(.*?)```", DOCS.read_text(), re.S) if code.startswith(f"# {name}")
    ]
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module and the recipe, and a dataset of twelve recordings of two classes that only the module can read."""
    import soundfile

    folder = tmp_path_factory.mktemp("components")
    for name in ("my_parts.py", "my_recipe.yaml"):
        (folder / name).write_text(block(name))
    (folder / "data").mkdir()
    rng, lines = np.random.default_rng(0), []
    for number in range(12):
        time = np.arange(20000) / 16000
        tone = np.sin(2 * np.pi * (300, 2000)[number % 2] * time) + 0.1 * rng.standard_normal(20000)
        soundfile.write(folder / "data" / f"{number}.wav", 0.3 * tone, 16000)
        lines.append(f"{number}.wav {'ab'[number % 2]}")
    (folder / "data" / "list.txt").write_text("\n".join(lines))
    return folder


PROGRAM = """
import contextlib, io, json, sys, traceback
from soundviews.cli.app import main
results = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["soundviews", *arguments]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as exit:
            code = exit.code or 0
        except BaseException:
            traceback.print_exc()
            code = "traceback"
    results.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def run(folder: Path) -> Callable[..., list[list[str]]]:
    """Run commands one after the other in a fresh process: exit code, output and errors of each."""

    def run(*commands: str) -> list[list[str]]:
        arguments = json.dumps([shlex.split(command) for command in commands])
        result = subprocess.run(
            [sys.executable, "-c", PROGRAM, arguments], cwd=folder, capture_output=True, text=True, timeout=300
        )
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="module")
def trained(folder: Path, run: Callable[..., list[list[str]]]) -> Path:
    """The run of the recipe; its `uses` are enough."""
    changes = " ".join(f"--set {change}" for change in SHORT)
    ((code, out, err),) = run(f"pretrain data --recipe my_recipe.yaml --out runs/mine --workers 0 {changes}")
    assert code == 0, out + err
    assert f"soundviews search runs/mine/archive.parquet SOUND.wav --use {folder / 'my_parts.py'}" in out + err
    return folder / "runs/mine"


def test_the_run_and_the_bundle_remember_what_they_use(trained: Path, folder: Path) -> None:
    assert f"uses:\n- {folder / 'my_parts.py'}\n" in (trained / "recipe.yaml").read_text()
    config = json.loads((trained / "bundle/config.json").read_text())
    assert config["uses"] == ["my_parts.py"]
    assert config["features"] == {"front_end": "cube_root", "n_fft": 512}
    assert config["encoder"] == {"name": "two_layers", "options": {"embedding_size": 64}}


def test_every_verb_works_with_use(trained: Path, run: Callable[..., list[list[str]]]) -> None:
    """And a recipe that is given again goes on with its run, and what `--use` brought is remembered."""
    changes = " ".join(f"--set {change}" for change in SHORT)
    judging = "evaluate runs/mine --data data --use my_parts --workers 0 --no-cache"
    *results, evaluated, embedded, searched = run(
        f"{judging} -p 'invariance:only=gain -20 dB'",
        "pretrain --resume runs/mine --use my_parts.py",
        f"pretrain data --recipe my_recipe.yaml --out runs/mine --workers 0 {changes}",
        f"pretrain data --recipe cola/small --out runs/used --use my_parts --workers 0 {changes} "
        "--set 'encoder={two_layers: {}}'",
        f"{judging} -p spread:share=0.5 -p linear:style=logistic -p random:epochs=1 --out judged",
        "embed runs/mine data --out archive.parquet --use my_parts.py",
        "search archive.parquet data/0.wav --use my_parts.py",
    )
    for code, out, err in (*results, evaluated, embedded, searched):
        assert code == 0, out + err
    rows = json.loads((trained.parents[1] / "judged/evaluation.json").read_text())["rows"]
    assert [row["measure"] for row in rows] == ["spread", "accuracy", "accuracy"]
    assert "12 recordings" in embedded[1] and "0.wav" in searched[1]
    assert json.loads((trained.parent / "used/bundle/config.json").read_text())["uses"] == ["my_parts.py"]


def test_without_use_the_error_says_what_to_do_and_a_bug_shows_its_traceback(
    trained: Path, folder: Path, run: Callable[..., list[list[str]]]
) -> None:
    (folder / "broken_parts.py").write_text("def helper():\n    raise ValueError('a bug')\n\nhelper()\n")
    (folder / "broken.yaml").write_text("base: cola\nuses: [broken_parts]\n")
    embedded, resumed, plain, broken = run(
        "embed runs/mine data --out other.parquet",
        "pretrain --resume runs/mine",
        "pretrain data --recipe cola --set 'encoder={two_layers: {}}' --out runs/other",
        "pretrain data --recipe broken.yaml --out runs/broken",
    )
    assert embedded[0] == resumed[0] == plain[0] == 1
    assert "the encoder 'two_layers', which is not known here: it was made with my_parts.py" in embedded[2]
    assert "--use my_parts.py" in embedded[2]
    assert f"--use {folder / 'my_parts.py'}" in resumed[2]
    assert "unknown encoder 'two_layers'" in plain[2]
    assert all(len(result[2].splitlines()) == 1 for result in (embedded, resumed, plain))
    assert broken[0] == "traceback" and "broken_parts.py" in broken[2] and "in helper" in broken[2]
