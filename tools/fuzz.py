"""Damage files of every kind that is read, and look at what comes of it: `make fuzz`.

Allowed are results that are finite, recordings that are left out by name, and errors of one line. Anything else, a
traceback, a crash, a hang, is a failure, and is printed with what makes it again: `python -m tools.fuzz --case ...`.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.fuzzing.subjects import SUBJECTS
from tools.fuzzing.trial import Case, Outcome, Workshop
from tools.pages import replace_section

PAGE = Path(__file__).resolve().parent.parent / "docs" / "results" / "faults.md"


def cases(count: int, seed: int, subjects: Sequence[str] = tuple(SUBJECTS)) -> Iterator[Case]:
    """`count` cases over the subjects by their shares, in turns."""
    shares = {name: SUBJECTS[name].share for name in subjects}
    done: Counter[str] = Counter()
    for _ in range(count):
        name = min(shares, key=lambda subject: (done[subject] + 1) / shares[subject])
        yield Case(name, seed, done[name])
        done[name] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--subject", choices=SUBJECTS, action="append")
    parser.add_argument("--case", type=int, help="only this case of the subject; its folder stays, and it says more")
    parser.add_argument("--write", action="store_true", help="write the section of docs/results/faults.md anew")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soundviews-fuzz-"))
    subjects = asked.subject or list(SUBJECTS)
    workshop = Workshop(folder, subjects)
    if asked.case is not None:
        case = Case(asked.subject[0], asked.seed, asked.case)
        copy, file = workshop.damage(case)
        outcome = workshop.use(case.subject, copy)
        print(f"{file}\n{outcome.kind}: {outcome.text}")
        return
    started = time.monotonic()
    table: Counter[tuple[str, str]] = Counter()
    failures: list[tuple[Case, Outcome]] = []
    for number, case in enumerate(cases(asked.count, asked.seed, subjects), 1):
        outcome = workshop.try_case(case)
        table[case.subject, outcome.kind] += 1
        if outcome.kind == "FAILED":
            failures.append((case, outcome))
            print(f"{described(case)}\n{outcome.text}", flush=True)
        if number % 500 == 0:
            print(f"{number:,} cases, {len(failures)} failed, {time.monotonic() - started:.0f} s", flush=True)
    workshop.close()
    section = report(table, asked.seed, time.monotonic() - started)
    print(section)
    if asked.write:
        replace_section(PAGE, "make fuzz", section)
    sys.exit(bool(failures))


def described(case: Case) -> str:
    """The command that makes a case again."""
    return f'python -m tools.fuzz --subject "{case.subject}" --seed {case.seed} --case {case.number}'


def report(table: Counter[tuple[str, str]], seed: int, seconds: float) -> str:
    """What was tried and what came of it, as a section of a page."""
    kinds = ("used", "left out", "refused", "FAILED")
    rows = [
        f"| {name} | {' | '.join(f'{table[name, kind]:,}' for kind in kinds)} |"
        for name in SUBJECTS
        if any(table[name, kind] for kind in kinds)
    ]
    return "\n".join(
        [
            f"{sum(table.values()):,} damaged files, seed {seed}, {seconds:.0f} s. Each is a whole file of its kind",
            "with one to four damages: bits flipped, blocks cut, zeroed, swapped or inserted, or values in JSON, YAML,",
            "CSV and Parquet at their edges. *used*: results are finite, and with caches and archives under way the",
            "right ones. *left out*: the recording is named with a reason. *refused*: an error of one line. *failed*:",
            "anything else.",
            "",
            "| what is damaged | used | left out | refused | failed |",
            "|---|--:|--:|--:|--:|",
            *rows,
        ]
    )


if __name__ == "__main__":
    main()
