"""Do a plan's steps: what is done stays, what another process is at is left to it, what fails is named."""

import json
import logging
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from soundviews.core.errors import SoundviewsError
from soundviews.core.files import write_text_whole
from soundviews.core.locks import locked
from soundviews.core.version import __version__
from soundviews.reproduction.plan import Plan
from soundviews.reproduction.steps import Step

MADE_BY = "made_by.json"
ASK_SECONDS = 2.0  # until what others are at is looked at again

logger = logging.getLogger(__name__)

Failures = dict[Path, str]
"""Why a step failed, by its folder."""


def work(plan: Plan, after_each: Callable[[Failures], object]) -> Failures:
    """Do all steps that are not done, also those that other processes leave.

    Args:
        after_each: Called with the failures so far whenever a step has ended.

    Returns:
        What failed; steps that need it fail with it, the others go on.
    """
    failures: Failures = {}
    left = plan.to_do
    while left:
        waiting = []
        for step in left:
            if reason := next((failures[folder] for folder in step.needs if folder in failures), ""):
                failures[step.folder] = reason
            elif all(plan.steps[folder].is_done for folder in step.needs) and _try(step, failures):
                after_each(failures)
            else:
                waiting.append(step)
        if len(waiting) == len(left):
            time.sleep(ASK_SECONDS)
        left = waiting
    return failures


def _try(step: Step, failures: Failures) -> bool:
    """Do a step; False if another process is at it."""
    with _claimed(step.folder) as mine:
        if not mine:
            return False
        if step.is_done:
            return True
        logger.info("%s:\n  %s", step.title, step.command)
        try:
            step.call()
            if step.folder.is_dir():
                write_text_whole(step.folder / MADE_BY, json.dumps({"soundviews": __version__, "commit": commit()}))
        except SoundviewsError as error:
            failures[step.folder] = f"{step.title}: {error}"
        except Exception as error:  # one row's fault must not take the others with it
            logger.error("%s failed", step.title, exc_info=error)
            failures[step.folder] = f"{step.title}: {type(error).__name__}: {error}"
        if step.folder in failures:
            logger.error("failed: %s", failures[step.folder])
    return True


@contextmanager
def _claimed(folder: Path) -> Iterator[bool]:
    """Whether this process alone is at the folder within the block."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder))
        except SoundviewsError:
            yield False
            return
        yield True


def commit() -> str:
    """The commit of the checkout that this package runs from; empty where it is installed."""
    here = Path(__file__).resolve().parent
    if not (here.parents[2] / ".git").exists():
        return ""
    try:
        asked = ["git", "-C", str(here), "rev-parse", "--short=10", "HEAD"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
