"""Make docs/results/ssep_esc50.md: does separation help to learn representations of real recordings?

    python -m studies.ssep_esc50 ESC50 WORK [--separator RUN] [--seeds 0] [--part 1/2] [--write-only]

A separator learned from folds 1-2 of ESC-50 alone, channels prepared, encoders of three rows of ssep's tables learned
from the same folds, judged on fold 3. What is in WORK already is not run again.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from soundviews.datasets.opening import open_corpus
from studies._page import IMAGES, RESULTS, picture
from studies._ssep import QUICK_SEPARATOR, Separator, chosen_rows, options, run, study_of
from studies._ssep_tables import (
    character_table,
    encoders_section,
    keep_picture,
    separator_minutes,
    write,
)

ROWS = ["mix-mix", "mix-chan", "n"]
ABOUT = (
    "1,200 real recordings of 5 s, 50 classes. Encoders learn from the audio of folds 1 and 2 without labels; "
    "classifiers train on folds 1 and 2; fold 3 judges. 800 clips to learn from are few: the paper's encoders "
    "learn from about three million, most of them twice as long."
)


def separator_section(separator: Separator, names: dict[str, str], page: Path, image: Path) -> list[str]:
    study = separator.study
    result = json.loads(separator.figures.read_text())
    keep_picture(separator.image, image)
    first = result["processors"][0]
    return [
        "## The separator",
        "",
        f"{separator_minutes(study.separator):.0f} min of training on folds 1 and 2. Judged on {first['clips']} clips "
        f"of fold 3, whose sources nobody knows: MoMi is the improvement on {first['pairs']} mixtures of two of them.",
        "",
        *study.shown(separator.train(), names),
        *study.shown(separator.evaluate(), names),
        *character_table(result),
        "The first clip of fold 3, above what each processor makes of it:",
        "",
        *study.shown(separator.show(), names),
        *picture(image, page, "a clip of fold 3 and the channels of S2, S1, F and N"),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__, seeds="0")
    parser.add_argument("data", metavar="ESC50", help="the folder with meta/ and audio/")
    parser.add_argument("work", metavar="WORK", type=Path)
    given = parser.parse_args(arguments)
    rows, corpus = chosen_rows(given.only, ROWS), open_corpus(given.data)
    learn, judge = ["--folds", "1,2"], ["--train-folds", "1,2", "--test-folds", "3"]
    study = study_of(given, given.data, "separator-esc50", 500, learn, judge)
    separator = Separator(
        study,
        data=[given.data, *learn],
        changed=QUICK_SEPARATOR if given.quick else ["training.steps=1500"],
        judge=["--data", given.data, "--folds", "3", "--limit", "4" if given.quick else "100"],
        held_out=corpus.where([3]),
    )
    run(given, rows, separator)
    page = (given.work if given.quick else RESULTS) / "ssep_esc50.md"
    image = (given.work if given.quick else IMAGES) / "separation_esc50.jpg"
    names = {str(corpus.root): "ESC50", given.data: "ESC50"}
    about_separator = separator_section(separator, names, page, image)
    sections = [*about_separator, *encoders_section(study, rows, names)]
    write(page, "Does separation help? ESC-50, folds 1-3", ABOUT, study, sections)


if __name__ == "__main__":
    main()
