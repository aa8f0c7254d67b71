"""Every verb that writes, killed at random moments and run twice at once, leaves what an uninterrupted run leaves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked from a process that has imported everything")
def test_killed_at_random_moments_and_doubled_the_results_are_the_same() -> None:
    sweep = [sys.executable, "-m", "tools.soak", "20"]
    result = subprocess.run(sweep, cwd=REPOSITORY, capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1] == "28 cases, 0 failed"
