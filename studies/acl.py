"""Make the page about acl: do its blocks make encoders invariant, and does that help?

    python -m studies.acl ESC50 WORK [--seeds 0,1,2] [--only noise,stretch] [--part 1/2] [--write-only]

Encoders of every row of the paper's tables learn from folds 1-2 of ESC-50 without labels; frozen and fine-tuned they
are judged on fold 3, beside training from scratch: docs/results/acl.md. What is in WORK already is not run again.

    python -m studies.acl DESED WORK --learn AUDIOSET        # Table 1, at the paper's size: WORK/acl-DESED.md
    python -m studies.acl SUBSET WORK --learn AUDIOSET       # Table 2, likewise
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from studies._acl import ROWS, Study
from studies._acl_page import write
from studies._page import IMAGES, RESULTS

SMALL = {row: "acl/small" if row == "stretch-masking" else f"acl/small/{row}" for row in ROWS}
LARGE = {row: "acl" if row == "stretch-masking" else f"acl/{row}" for row in ROWS}


def study_of(given: argparse.Namespace) -> Study:
    quick = ["training.steps=2", "training.batch_size=4", "training.warmup_steps=0"] if given.quick else []
    if given.learn:
        learn = [given.learn, *(["--splits", given.learn_splits] if given.learn_splits else [])]
        return Study(given.data, given.work, LARGE, learn, [], "epochs=100", quick)
    epochs = "epochs=1,precision=bf16" if given.quick else "epochs=30,precision=bf16"
    learn, judge = [given.data, "--folds", "1,2"], ["--train-folds", "1,2", "--test-folds", "3"]
    return Study(given.data, given.work, SMALL, learn, judge, epochs, quick)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", metavar="DATA", help="the labelled corpus; of ESC-50 the folder with meta/ and audio/")
    parser.add_argument("work", metavar="WORK", type=Path)
    parser.add_argument("--learn", help="another corpus to learn from, with the recipes of full size")
    parser.add_argument(
        "--learn-splits",
        default="unbalanced_train",
        help="of that corpus; the default is what the paper learns from, which has no clip of Table 2; '' is all of it",
    )
    parser.add_argument("--seeds", default="0,1,2", help="of pretraining; default 0,1,2")
    parser.add_argument("--only", default=",".join(ROWS), help="rows, as in noise,masking")
    parser.add_argument("--stage", choices=("pretrain", "finetune", "all"), default="all", help="run this and no more")
    parser.add_argument("--part", default="1/1", help="as in 2/3: every third run from the second on")
    parser.add_argument("--write-only", action="store_true", help="run nothing, write the page from what is there")
    parser.add_argument("--quick", action="store_true", help="a few steps each, to see that it works")
    given = parser.parse_args(arguments)
    study, part = study_of(given), tuple(map(int, given.part.split("/")))
    seeds, rows = [int(seed) for seed in given.seeds.split(",")], given.only.split(",")
    if unknown := set(rows) - set(ROWS):
        raise SystemExit(f"no rows {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    if not given.write_only:
        study.run(rows, seeds, given.stage, (part[0], part[1]))
    if given.write_only or given.stage == "all":
        in_docs = not (given.learn or given.quick)
        page = RESULTS / "acl.md" if in_docs else given.work / f"acl-{study.name}.md"
        write(study, rows, seeds, page, IMAGES if in_docs else given.work)


if __name__ == "__main__":
    main()
