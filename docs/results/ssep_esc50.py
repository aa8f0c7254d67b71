"""Make docs/results/ssep_esc50.md: does separation help to learn representations of real recordings?

    python docs/results/ssep_esc50.py ESC50 WORK [--separator RUN] [--seeds 0] [--part 1/2] [--write-only]

A separator learned from folds 1-2 of ESC-50 alone, channels prepared, encoders of three rows of ssep's tables learned
from the same folds, judged on fold 3. What is in WORK already is not run again.
"""

import json
from pathlib import Path

from _page import Command, notes, written_by
from _ssep import Study, chosen_rows, options, overrides
from _ssep_tables import (
    IMAGES,
    character_table,
    encoders_section,
    keep_picture,
    picture,
    provenance,
    separator_minutes,
)

from soundviews.audio.corpus import open_corpus

SMALL = [  # what every row has in common, for a CPU
    "encoder={vgg_like: {}}",
    "training.steps=500",
    "training.batch_size=32",
    "training.precision=bf16-mixed",
    "training.optimizer={adam: {lr: 1.0e-3}}",
    "training.schedule={cosine: {}}",
    "training.warmup_steps=30",
    "evaluation=null",
]
NAMES = ["mix-mix", "mix-chan", "n"]
QUICK_SEPARATOR = ["training.steps=2", "processors.F=1", "processors.S1=1"]
QUICK_PRETRAINING = ["training.steps=2", "training.batch_size=4"]


class Separator:
    """The commands about the separator, in `study.separator`."""

    def __init__(self, study: Study, quick: bool) -> None:
        self.study, self.changed, self.limit = (
            study,
            QUICK_SEPARATOR if quick else ["training.steps=1500"],
            4 if quick else 100,
        )
        self.figures, self.image = study.work / "separator.json", study.work / "separation.png"

    def train(self) -> Command:
        recipe = ["--recipe", "separator/small", *overrides(self.changed), "-o", str(self.study.separator)]
        return Command("separator", ["separate", "train", self.study.data, "--folds", "1,2", *recipe])

    def evaluate(self) -> Command:
        part = ["--data", self.study.data, "--folds", "3", "--limit", str(self.limit), "--out", str(self.figures)]
        return Command("separator-judged", ["separate", "evaluate", str(self.study.separator), *part])

    def show(self) -> Command:
        """The first clip of fold 3: none is picked for its looks."""
        clip = str(open_corpus(self.study.data).where([3]).clip(0).path)
        out = ["--processors", "S2,S1,F,N", "--out", str(self.image)]
        return Command("separation", ["separate", "show", str(self.study.separator), clip, *out])

    def places(self) -> dict[str, str]:
        return {str(open_corpus(self.study.data).root): "ESC50", self.study.data: "ESC50"}


def separator_section(separator: Separator, page: Path, image: Path) -> list[str]:
    study, places = separator.study, separator.places()
    result = json.loads(separator.figures.read_text())
    keep_picture(separator.image, image)
    some = result["processors"][0]
    return [
        "## The separator",
        "",
        f"{separator_minutes(study.separator):.0f} min of training on folds 1 and 2. Judged on {some['clips']} clips "
        f"of fold 3, whose sources nobody knows: MoMi is the improvement on {some['pairs']} mixtures of two of them.",
        "",
        *study.shown(separator.train(), places),
        *study.shown(separator.evaluate(), places),
        *character_table(result),
        "The first clip of fold 3, above what each processor makes of it:",
        "",
        *study.shown(separator.show(), places),
        *picture(image, page, "a clip of fold 3 and the channels of S2, S1, F and N"),
    ]


def write(separator: Separator, rows: list[str], page: Path, images: Path) -> None:
    lines = [
        "# Does separation help? ESC-50, folds 1-3",
        "",
        "1,200 real recordings of 5 s, 50 classes. Encoders learn from the audio of folds 1 and 2 without labels; "
        "classifiers train on folds 1 and 2; fold 3 judges. 800 clips to learn from are few: the paper's encoders "
        "learn from about three million, most of them twice as long.",
        "",
        written_by("ssep_esc50.py", provenance(separator.study.work)[0]),
        "",
        *notes(page),
        *separator_section(separator, page, images / "separation_esc50.jpg"),
        *encoders_section(separator.study, rows, separator.places()),
    ]
    page.write_text("\n".join(lines).rstrip() + "\n")
    print(page)


def main() -> None:
    parser = options(__doc__, seeds="0")
    parser.add_argument("data", metavar="ESC50", help="the folder with meta/ and audio/")
    parser.add_argument("work", metavar="WORK", type=Path)
    given = parser.parse_args()
    rows, quickly = chosen_rows(given.only, ["mix-mix", "mix-chan", "n"]), QUICK_PRETRAINING if given.quick else []
    study = Study(
        data=given.data,
        work=given.work,
        separator=given.separator or given.work / "separator-esc50",
        seeds=[int(seed) for seed in given.seeds.split(",")],
        learn=["--folds", "1,2"],
        judge=["--train-folds", "1,2", "--test-folds", "3"],
        small=[*SMALL, *quickly, *([f"training.steps={given.steps}"] if given.steps else [])],
    )
    separator = Separator(study, given.quick)
    if not given.write_only:
        own = [] if given.separator else [separator.train()]
        study.run([*own, separator.evaluate(), separator.show()], rows, given.part)
    here = given.work if given.quick else Path(__file__).parent
    write(separator, rows, here / "ssep_esc50.md", given.work if given.quick else IMAGES)


if __name__ == "__main__":
    main()
