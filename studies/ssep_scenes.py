"""Make docs/results/ssep_scenes.md: does separation help to learn representations of the built-in scenes?

    python -m studies.ssep_scenes WORK [--separator RUN] [--seeds 0,1,2] [--part 1/2] [--write-only]

A separator learned from mixtures alone, channels prepared, encoders of several rows of ssep's tables, judged on
held-out scenes. What is in WORK already is not run again, so the page can be finished in pieces, and by several
processes at once (--part).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from soundviews.datasets.opening import open_corpus
from studies._page import IMAGES, RESULTS, Command, picture
from studies._ssep import QUICK_SEPARATOR, ROWS, Separator, Study, chosen_rows, options, run, study_of
from studies._ssep_tables import (
    character_table,
    curve,
    encoders_section,
    keep_picture,
    separator_minutes,
    write,
)

LEARNED = "max_events=2,min_snr=10,max_snr=30,max_seconds=6"
OF_EVENTS = "separator-events.json"
ABOUT = (
    "{:,} scenes of 4 to 6 s, 1 or 2 kinds of events of 16 in each, 10 to 30 dB over a background. Encoders learn from "
    "the audio of the training split without labels; classifiers train on that split; the test split judges."
)


class Size(NamedTuple):
    """Scenes, and what is changed in the recipe of the separator."""

    to_separate: int
    held_out: int
    to_learn: int
    separator: list[str]


FULL = Size(1500, 500, 1200, ["processors.step-250=250", "processors.step-1000=1000"])
QUICK = Size(40, 20, 80, QUICK_SEPARATOR)


def judge_events(study: Study, clips: int) -> Command:
    """On scenes of two events, whose sources are known."""
    scenes = ["--data", f"scenes:clips={clips},max_events=2,min_snr=20,max_snr=40,seed=2"]
    options = [*scenes, "--sources", "3", "--limit", "60", "--out", str(study.work / OF_EVENTS)]
    return Command("separator-events-judged", ["separate", "evaluate", str(study.separator), *options])


def separator_section(
    separator: Separator, of_events: Command, names: dict[str, str], page: Path, images: Path
) -> list[str]:
    study = separator.study
    result = json.loads(separator.figures.read_text())
    titles = {"msi": "SI-SNRi, dB", "channel_correlation": "correlation of the channels"}
    curve(result, titles, images / "separator.png")
    keep_picture(separator.image, images / "separation.jpg")
    first = result["processors"][0]
    return [
        "## The separator",
        "",
        f"{separator_minutes(study.separator):.0f} min of training. Judged on {first['clips']} scenes that it has "
        f"never heard, each a background and one event; MoMi on {first['pairs']} mixtures of two of them.",
        "",
        *study.shown(separator.train(), names),
        *study.shown(separator.evaluate(), names),
        *character_table(result),
        "Scenes of two events, 20 to 40 dB over their background; two channels cannot hold all three:",
        "",
        *study.shown(of_events, names),
        *character_table(json.loads((study.work / OF_EVENTS).read_text())),
        *picture(images / "separator.png", page, "SI-SNRi and the correlation of the channels over the steps"),
        "The first of those scenes (SCENES is their folder), the mixture above what each processor makes of it:",
        "",
        *study.shown(separator.show(), names),
        *picture(images / "separation.jpg", page, "a held-out scene and the channels of S2, S1, F and N"),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__, seeds="0,1,2")
    parser.add_argument("work", metavar="WORK", type=Path)
    given = parser.parse_args(arguments)
    rows, size = chosen_rows(given.only, list(ROWS)), QUICK if given.quick else FULL
    judge = ["--train-split", "train", "--validation-split", "validation", "--test-split", "test"]
    data = f"scenes:clips={size.to_learn},{LEARNED}"
    study = study_of(given, data, "separator", 250, ["--splits", "train"], judge)
    held_out = f"scenes:clips={size.held_out},max_events=1,seed=7"
    corpus = open_corpus(held_out)
    separator = Separator(
        study,
        data=[f"scenes:clips={size.to_separate},max_events=1,min_snr=10,max_snr=40,seed=1", "--splits", "train"],
        changed=size.separator,
        judge=["--data", held_out, "--splits", "test"],
        held_out=corpus.where(split=["test"]),
    )
    of_events = judge_events(study, 3 * size.held_out // 5)
    run(given, rows, separator, [of_events])
    page, images = (given.work if given.quick else RESULTS) / "ssep_scenes.md", given.work if given.quick else IMAGES
    names = {str(corpus.root): "SCENES"}
    about_separator = separator_section(separator, of_events, names, page, images)
    sections = [*about_separator, *encoders_section(study, rows, names)]
    write(page, "Does separation help? Built-in scenes", ABOUT.format(size.to_learn), study, sections)


if __name__ == "__main__":
    main()
