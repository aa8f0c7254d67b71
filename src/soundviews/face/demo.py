"""The whole line on built-in scenes: make them, learn to separate them, learn from them, judge, write the report."""

import logging
import time
from pathlib import Path
from typing import NamedTuple

from soundviews.audio.corpus import Corpus
from soundviews.datasets.opening import open_corpus
from soundviews.evaluation.separation import choose, separation_figures
from soundviews.face import demo_page
from soundviews.face.evaluate import evaluate
from soundviews.face.pretrain import pretrain, train_separator
from soundviews.model import Model
from soundviews.pretraining.channels import processors_of
from soundviews.recipes.building import build
from soundviews.recipes.loading import load_recipe, load_separator_recipe
from soundviews.recipes.schema import Recipe
from soundviews.report.evaluation import evaluation_sections
from soundviews.report.html import Section, write_report
from soundviews.report.results import ShownEvaluation
from soundviews.scenes.folder import SceneOptions, write_scenes
from soundviews.separation.preparing import prepare
from soundviews.separation.processor import find_processors, load_processors

CLIPS, LONGEST = 240, 5.0  # scenes, and seconds of one
LEARN, TEST = [1, 2, 3, 4], [5]
PROTOCOLS = [("qbe", {}), ("linear", {"style": "logistic"})]
JUDGED_SCENES = 20  # by each processor

logger = logging.getLogger(__name__)


class Demonstration(NamedTuple):
    """answer: Whether learning helped, with its figures; report: the page."""

    answer: str
    report: Path


def demo(
    directory: str | Path,
    overrides: list[str] | None = None,
    clips: int = CLIPS,
    separator_overrides: list[str] | None = None,
) -> Demonstration:
    """Run the demonstration after its first look (`first_look`); started again, it goes on where it was.

    Args:
        directory: Everything goes below it: `scenes/`, `separator/`, `channels/`, `run/` with its bundle,
            `report.html`.
        overrides: Changes to the recipe `demo`, as `soundviews.pretrain` takes them.
        clips: Scenes to make.
        separator_overrides: Changes to the recipe `separator/demo`.

    Returns:
        Whether learning helped, in a sentence, and the report.
    """
    started = time.monotonic()
    directory = Path(directory)
    recipe = load_recipe("demo", overrides)
    separator_steps = load_separator_recipe("separator/demo", separator_overrides).training.steps
    scenes, separator, run = directory / "scenes", directory / "separator", directory / "run"
    write_scenes(scenes, SceneOptions(clips=clips, max_seconds=LONGEST))
    corpus = open_corpus(scenes)
    logger.info(f"Learning to separate: {separator_steps} steps.")
    train_separator(scenes, separator, "separator/demo", separator_overrides, folds=LEARN)
    _separate(recipe, corpus, separator, directory / "channels")
    logger.info(f"Learning from them: {recipe.training.steps} steps.")
    model = pretrain(scenes, run, "demo", overrides, folds=LEARN, separator=separator, channels=directory / "channels")
    result = _judge(model, corpus)
    result.save(directory / "evaluation.json")
    answer = demo_page.first_sentence(result)
    report = write_report(
        directory / "report.html",
        "A first encoder",
        [*evaluation_sections(result), *_further_sections(recipe, corpus, separator, run)],
        lead=f"{answer} Learned from {clips * 4 // 5} built-in sound scenes without their "
        "labels, then judged with them.",
        facts=(
            ("clips", f"{clips}"),
            ("steps of the separator", f"{separator_steps}"),
            ("steps of the encoder", f"{recipe.training.steps}"),
            ("minutes", f"{(time.monotonic() - started) / 60:.1f}"),
        ),
    )
    return Demonstration(answer, report)


def _separate(recipe: Recipe, corpus: Corpus, separator: Path, channels: Path) -> None:
    """Keep the channels of the scenes to learn from, where the recipe's views separate."""
    processors = processors_of(recipe, build(recipe, weights=False).views, str(separator))
    if not processors:
        return
    clips = corpus.where(folds=LEARN).cut(recipe.audio.clip_seconds)
    logger.info(f"Separating {len(clips)} scenes with {' and '.join(processor.name for processor in processors)}.")
    prepare(clips, processors, channels, progress=True)


def _judge(model: Model, corpus: Corpus) -> ShownEvaluation:
    named = model.replace(name="this encoder")
    result = evaluate(
        named, corpus, PROTOCOLS, baselines=True, train_folds=LEARN, test_folds=TEST, workers=0, cache=False
    )
    result.data = "built-in scenes"
    return result


def _further_sections(recipe: Recipe, corpus: Corpus, separator: Path, run: Path) -> list[Section]:
    """What the page shows besides the evaluation."""
    processors = load_processors(separator, list(find_processors(separator))[::-1])
    held_out = corpus.where(folds=TEST)
    judged = choose(held_out, JUDGED_SCENES, sources=2)
    qualities = [separation_figures(processor, judged) for processor in processors]
    return [
        demo_page.separation_section(processors, qualities, held_out, build(recipe, weights=False).log_mel),
        demo_page.views_section(recipe, corpus, separator),
        demo_page.training_section(separator, run),
        demo_page.next_section(),
    ]
