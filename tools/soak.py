"""Kill every verb that writes at random moments, and run every one twice at once: `make soak`.

What stands in the end must be what an uninterrupted run leaves. Each verb runs in a child that is forked from a process
which has imported everything, so that a kill meets the work and not the imports; POSIX only.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tools.pages import replace_section
from tools.soaking.compare import differences
from tools.soaking.verbs import VERBS, Verb, make_inputs

PAGE = Path(__file__).resolve().parent.parent / "docs" / "results" / "faults.md"
SECONDS = 300  # after which a verb hangs
IN_USE = "another soundviews"  # what a writer says who finds the place taken


class Child(NamedTuple):
    """A process, and the file of what it says."""

    pid: int
    said: Path


@dataclass
class Trial:
    """Verbs in one folder of inputs, with their uninterrupted results and how long those took."""

    folder: Path
    seconds: dict[str, float]

    def whole(self, verb: Verb) -> None:
        """Run the verb without interruption; the others are compared with what it leaves."""
        started = time.monotonic()
        code, said = finish(start(verb.command(self.folder / "whole"), self.folder))
        if code != 0:
            raise SystemExit(f"{verb.name} fails without any fault:\n{said}")
        self.seconds[verb.name] = time.monotonic() - started

    def killed(self, verb: Verb, moments: Sequence[float]) -> list[str]:
        """What is wrong after kills at these shares of the verb's time and the same command again."""
        out = self.folder / f"killed-{verb.name.replace(' ', '-')}"
        shutil.rmtree(out, ignore_errors=True)
        for moment in moments:
            child = start(verb.command(out), self.folder)
            time.sleep(moment * self.seconds[verb.name])
            kill(child)
            finish(child)
        code, said = finish(start(verb.command(out), self.folder))
        return self._judged(verb, out, code, said)

    def twice(self, verb: Verb, apart: float) -> list[str]:
        """What is wrong after two at once, the second `apart` of the verb's time later, and the same command again."""
        out = self.folder / f"twice-{verb.name.replace(' ', '-')}"
        shutil.rmtree(out, ignore_errors=True)
        first = start(verb.command(out), self.folder)
        time.sleep(apart * self.seconds[verb.name])
        second = start(verb.command(out), self.folder)
        ends = [finish(first), finish(second)]
        wrong = [said for code, said in ends if code != 0 and IN_USE not in said]
        if all(code != 0 for code, _ in ends):
            wrong.append("neither of the two came to its end")
        code, said = finish(start(verb.command(out), self.folder))
        return wrong + self._judged(verb, out, code, said)

    def _judged(self, verb: Verb, out: Path, code: int, said: str) -> list[str]:
        if code != 0:
            return [f"the same command again ends with {code}: {said}"]
        return differences(self.folder / "whole" / verb.result, out / verb.result)


def start(arguments: list[str], folder: Path) -> Child:
    """A process, in a group of its own, that runs `soundviews ARGUMENTS`."""
    handle, name = tempfile.mkstemp(prefix="said-", dir=folder)
    pid = os.fork()
    if pid:
        os.close(handle)
        return Child(pid, Path(name))
    os.setsid()
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    sys.argv = ["soundviews", *arguments]
    code = 70
    try:
        from soundviews.cli.app import main

        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def finish(child: Child) -> tuple[int, str]:
    """How the process ended (minus the signal), and what it said; killed after SECONDS."""
    deadline = time.monotonic() + SECONDS
    while (ended := os.waitpid(child.pid, os.WNOHANG))[0] == 0:
        if time.monotonic() > deadline:
            kill(child)
            os.waitpid(child.pid, 0)
            return -signal.SIGKILL, f"hangs: nothing after {SECONDS} s"
        time.sleep(0.01)
    return os.waitstatus_to_exitcode(ended[1]), child.said.read_text(errors="replace")[-2000:]


def kill(child: Child) -> None:
    """Kill the process and all of its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def import_everything() -> None:
    """What the verbs import at their first use, before the first fork."""
    import lightning.pytorch  # noqa: F401
    import scipy.signal  # noqa: F401
    import sklearn.linear_model  # noqa: F401
    import torch

    import soundviews.face.pretrain  # noqa: F401
    from soundviews.cli.app import load_verbs

    torch.set_num_threads(1)  # a fork does not take the threads of a pool along
    load_verbs()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", nargs="?", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verb", choices=[verb.name for verb in VERBS], action="append")
    parser.add_argument("--write", action="store_true", help="write the section of docs/results/faults.md anew")
    asked = parser.parse_args()
    verbs = [verb for verb in VERBS if not asked.verb or verb.name in asked.verb]
    import_everything()
    folder = Path(tempfile.mkdtemp(prefix="soundviews-soak-"))
    os.environ["SOUNDVIEWS_CACHE"] = str(folder / "cache")
    make_inputs(folder)
    trial, table, failures = Trial(folder, {}), Counter[tuple[str, str]](), 0
    for verb in VERBS:  # those that are not asked for make the inputs of others
        trial.whole(verb)
    rng = random.Random(asked.seed)
    kills = [("killed", verbs[number % len(verbs)]) for number in range(asked.kills)]
    for kind, verb in [*kills, *(("twice", verb) for verb in verbs)]:
        moments = [rng.uniform(0, 1.1) for _ in range(rng.choice((1, 1, 2)))]
        wrong = trial.killed(verb, moments) if kind == "killed" else trial.twice(verb, rng.uniform(0, 0.5))
        table[verb.name, kind] += 1
        if wrong:
            failures += 1
            print(f"{verb.name}, {kind} at {moments}: " + "\n".join(wrong), flush=True)
    print(f"{sum(table.values())} cases, {failures} failed")
    if asked.write:
        write_section(table, failures, asked.seed)
    shutil.rmtree(folder)
    sys.exit(failures > 0)


def write_section(table: Counter[tuple[str, str]], failures: int, seed: int) -> None:
    """Replace what an earlier `make soak` wrote on the page of faults."""
    rows = [f"| `{verb.name}` | {table[verb.name, 'killed']} | {table[verb.name, 'twice']} |" for verb in VERBS]
    text = (
        "Every verb that writes, killed with -9 once or twice at random moments and then run again; and run twice at "
        f"once, and then again. What stands is compared with an uninterrupted run. Seed {seed}; "
        f"{sum(table.values())} cases, {failures} failed.\n\n| verb | killed | twice at once |\n|---|---|---|\n"
    )
    replace_section(PAGE, "make soak", text + "\n".join(rows))


if __name__ == "__main__":
    main()
