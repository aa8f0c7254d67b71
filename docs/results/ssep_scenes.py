"""Make docs/results/ssep_scenes.md: does separation help to learn representations of the built-in scenes?

    python docs/results/ssep_scenes.py WORK [--separator RUN] [--seeds 0,1,2] [--part 1/2] [--write-only]

A separator learned from mixtures alone, channels prepared, encoders of several rows of ssep's tables, judged on
held-out scenes. What is in WORK already is not run again, so the page can be finished in pieces, and by several
processes at once (--part).
"""

import json
from pathlib import Path
from typing import NamedTuple

from _page import Command, notes, written_by
from _ssep import ROWS, Study, chosen_rows, options, overrides
from _ssep_tables import (
    IMAGES,
    character_table,
    curve,
    encoders_section,
    keep_picture,
    picture,
    provenance,
    separator_minutes,
)

from soundviews.audio.corpus import open_corpus

SMALL = [  # what every row has in common, for a CPU
    "encoder={vgg_like: {}}",
    "training.steps=250",
    "training.batch_size=32",
    "training.precision=bf16-mixed",
    "training.optimizer={adam: {lr: 1.0e-3}}",
    "training.schedule={cosine: {}}",
    "training.warmup_steps=30",
    "evaluation=null",
]


LEARNED = "max_events=2,min_snr=10,max_snr=30,max_seconds=6"


class Size(NamedTuple):
    """Scenes, and what is changed in the recipe of the separator."""

    to_separate: int
    held_out: int
    to_learn: int
    separator: list[str]
    pretraining: list[str]


FULL = Size(1500, 500, 1200, ["processors.step-250=250", "processors.step-1000=1000"], [])
QUICK = Size(
    40, 20, 80, ["training.steps=2", "processors.F=1", "processors.S1=1"], ["training.steps=2", "training.batch_size=4"]
)


class Separator:
    """The commands about the separator, in `study.separator`."""

    def __init__(self, study: Study, size: Size) -> None:
        self.study, self.size = study, size
        self.learned = f"scenes:clips={size.to_separate},max_events=1,min_snr=10,max_snr=40,seed=1"
        self.held_out = f"scenes:clips={size.held_out},max_events=1,seed=7"
        self.two_events = f"scenes:clips={3 * size.held_out // 5},max_events=2,min_snr=20,max_snr=40,seed=2"
        self.of_events = study.work / "separator-events.json"
        self.figures, self.image = study.work / "separator.json", study.work / "separation.png"

    def train(self) -> Command:
        recipe = ["--recipe", "separator/small", *overrides(self.size.separator)]
        out = ["-o", str(self.study.separator)]
        return Command("separator", ["separate", "train", self.learned, "--splits", "train", *recipe, *out])

    def evaluate(self) -> Command:
        part = ["--data", self.held_out, "--splits", "test", "--out", str(self.figures)]
        return Command("separator-judged", ["separate", "evaluate", str(self.study.separator), *part])

    def evaluate_events(self) -> Command:
        part = ["--data", self.two_events, "--sources", "3", "--limit", "60", "--out", str(self.of_events)]
        return Command("separator-events-judged", ["separate", "evaluate", str(self.study.separator), *part])

    def show(self) -> Command:
        """The first held-out scene: none is picked for its looks."""
        scene = str(open_corpus(self.held_out).where(split=["test"]).clip(0).path)
        out = ["--processors", "S2,S1,F,N", "--out", str(self.image)]
        return Command("separation", ["separate", "show", str(self.study.separator), scene, *out])

    def places(self) -> dict[str, str]:
        return {str(open_corpus(self.held_out).root): "SCENES"}


def separator_section(separator: Separator, page: Path, images: Path) -> list[str]:
    study, places = separator.study, separator.places()
    result = json.loads(separator.figures.read_text())
    titles = {"msi": "SI-SNRi, dB", "channel_correlation": "correlation of the channels"}
    curve(result, titles, images / "separator.png")
    keep_picture(separator.image, images / "separation.jpg")
    some = result["processors"][0]
    return [
        "## The separator",
        "",
        f"{separator_minutes(study.separator):.0f} min of training. Judged on {some['clips']} scenes that it has never "
        f"heard, each a background and one event; MoMi on {some['pairs']} mixtures of two of them.",
        "",
        *study.shown(separator.train(), places),
        *study.shown(separator.evaluate(), places),
        *character_table(result),
        "Scenes of two events, 20 to 40 dB over their background; two channels cannot hold all three:",
        "",
        *study.shown(separator.evaluate_events(), places),
        *character_table(json.loads(separator.of_events.read_text())),
        *picture(images / "separator.png", page, "SI-SNRi and the correlation of the channels over the steps"),
        "The first of those scenes (SCENES is their folder), the mixture above what each processor makes of it:",
        "",
        *study.shown(separator.show(), places),
        *picture(images / "separation.jpg", page, "a held-out scene and the channels of S2, S1, F and N"),
    ]


def write(separator: Separator, rows: list[str], page: Path, images: Path) -> None:
    lines = [
        "# Does separation help? Built-in scenes",
        "",
        f"{separator.size.to_learn:,} scenes of 4 to 6 s, 1 or 2 kinds of events of 16 in each, 10 to 30 dB over a "
        "background. Encoders learn from the audio of the training split without labels; classifiers train on that "
        "split; the test split judges.",
        "",
        written_by("ssep_scenes.py", provenance(separator.study.work)[0]),
        "",
        *notes(page),
        *separator_section(separator, page, images),
        *encoders_section(separator.study, rows, separator.places()),
    ]
    page.write_text("\n".join(lines).rstrip() + "\n")
    print(page)


def main() -> None:
    parser = options(__doc__, seeds="0,1,2")
    parser.add_argument("work", metavar="WORK", type=Path)
    given = parser.parse_args()
    rows, size = chosen_rows(given.only, list(ROWS)), QUICK if given.quick else FULL
    study = Study(
        data=f"scenes:clips={size.to_learn},{LEARNED}",
        work=given.work,
        separator=given.separator or given.work / "separator",
        seeds=[int(seed) for seed in given.seeds.split(",")],
        learn=["--splits", "train"],
        judge=["--train-split", "train", "--validation-split", "validation", "--test-split", "test"],
        small=[*SMALL, *size.pretraining, *([f"training.steps={given.steps}"] if given.steps else [])],
    )
    separator = Separator(study, size)
    if not given.write_only:
        own = [] if given.separator else [separator.train()]
        study.run([*own, separator.evaluate(), separator.evaluate_events(), separator.show()], rows, given.part)
    here = given.work if given.quick else Path(__file__).parent
    write(separator, rows, here / "ssep_scenes.md", given.work if given.quick else IMAGES)


if __name__ == "__main__":
    main()
