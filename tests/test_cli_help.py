"""The command line's help: light, and there for every verb."""

import pkgutil
import subprocess
import sys

import pytest

import soundviews.cli

FILES = sorted(m.name for m in pkgutil.iter_modules(soundviews.cli.__path__) if m.name != "app" and m.name[0] != "_")
VERBS = [name for name in FILES if "_" not in name]  # those of separate are in separate_*.py
HEAVY = ("torch", "numpy", "lightning", "pyarrow", "scipy", "sklearn", "matplotlib", "timm")


def run_help(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys\n"
        "from soundviews.cli.app import main\n"
        f"sys.argv = ['soundviews', *{list(arguments)!r}, '--help']\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        f"    print('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)


def test_help_lists_every_verb_and_loads_nothing_heavy() -> None:
    result = run_help()
    assert result.returncode == 0, result.stderr
    assert result.stdout.rstrip().endswith("loaded:"), result.stdout.splitlines()[-1]
    for word in (*VERBS, "--version", "--install-completion"):
        assert word in result.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = run_help(verb)
    assert result.returncode == 0, result.stderr
    assert "Usage:" in result.stdout
    assert result.stdout.rstrip().endswith("loaded:"), result.stdout.splitlines()[-1]


@pytest.mark.parametrize("verb", ["evaluate", "compare"])
def test_help_says_how_weights_are_named(verb: str) -> None:
    words = "".join(run_help(verb).stdout.replace("│", "").split())  # a narrow box breaks lines within words
    assert "hear:MODULE@FILE" in words  # brackets would be markup of rich, and vanish
