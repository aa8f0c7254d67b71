"""A training leaves the process as it found it, however it ends."""

import logging
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from soundviews.core.interruption import Terminated, what_was_kept
from soundviews.pretraining.module import Pretraining
from soundviews.pretraining.process import process_as_it_was
from soundviews.pretraining.run import pretrain
from soundviews.recipes.schema import Recipe

CHILD = """
import sys, time
from soundviews.pretraining.run import pretrain
from soundviews.recipes.loading import load_recipe
pretrain(load_recipe(sys.argv[1]), sys.argv[2], __import__("pathlib").Path(sys.argv[3]), workers=0)
print("trained", flush=True)
time.sleep(60)
print("still here")
"""
SMALL = """
base: uclser
audio: {sample_rate: 8000}
features: {n_fft: 256, window_length: 200, hop_length: 80, n_mels: 32, f_max: 4000}
edit_views: {patch: {frames: 41}}
encoder: {vgg_like: {}}
training: {steps: 2, batch_size: 4}
inference: {windows: {hop: 41}}
"""


def state() -> dict[str, Any]:
    loggers = logging.root.manager.loggerDict.items()
    return {
        "handlers": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "environment": dict(os.environ),
        "levels": {name: logger.level for name, logger in loggers if isinstance(logger, logging.Logger)},
        "filters": list(warnings.filters),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "torch": torch.get_rng_state().tolist(),
        "numpy": str(np.random.get_state()),
        "python": random.getstate(),
        "gradients": torch.is_grad_enabled(),
    }


@pytest.mark.parametrize("end", ["success", "error", "interrupted", "interrupted at once"])
def test_the_process_is_as_it_was(
    end: str, tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Pretraining.training_step

    def ending(self: Pretraining, batch: Any, index: int) -> torch.Tensor:
        if index == 1 and end == "error":
            raise ZeroDivisionError
        if index == 1 and end == "interrupted":
            os.kill(os.getpid(), signal.SIGTERM)
        if index == 1 and end == "interrupted at once":
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, batch, index)

    monkeypatch.setattr(Pretraining, "training_step", ending)
    pretrain(tiny_recipe("training.steps=1"), str(labelled), tmp_path / "first", workers=0)  # what imports do is theirs
    before = state()
    errors = {"error": ZeroDivisionError, "interrupted": Terminated, "interrupted at once": KeyboardInterrupt}
    try:
        pretrain(tiny_recipe("training.steps=3"), str(labelled), tmp_path / "run", workers=0)
    except (ZeroDivisionError, KeyboardInterrupt) as error:
        assert type(error) is errors[end]
        if isinstance(error, KeyboardInterrupt):
            assert ("stopped at step" in what_was_kept(error)) == (end == "interrupted")
    else:
        assert end == "success"
    after = state()
    assert {key: (before[key], after[key]) for key in before if before[key] != after[key]} == {}


def test_sigterm_ends_a_program_that_has_trained(corpus: Path, small: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(small), str(corpus), str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None and process.stdout.readline() == "trained\n"
    started = time.monotonic()
    process.terminate()
    output, _ = process.communicate(timeout=50)
    assert process.returncode == -signal.SIGTERM and output == ""
    assert time.monotonic() - started < 50  # and not after its 60 s of sleep


def test_whatever_is_changed_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDVIEWS_TEST", "before")
    before = state()
    with torch.no_grad():
        with pytest.raises(ValueError, match="oops"), process_as_it_was():
            assert torch.is_grad_enabled()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.environ.update({"SOUNDVIEWS_TEST": "after", "SOUNDVIEWS_OTHER": "new"})
            logging.getLogger("lightning.pytorch").setLevel(logging.CRITICAL)
            warnings.simplefilter("ignore")
            torch.manual_seed(3)
            torch.set_num_threads(torch.get_num_threads() + 1)
            raise ValueError("oops")
        assert not torch.is_grad_enabled()
    assert state() == before
