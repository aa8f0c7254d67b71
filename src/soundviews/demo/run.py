"""The whole line on built-in scenes: make them, learn to separate them, learn from them, judge, write the report."""

import time
from pathlib import Path

from soundviews.audio.corpus import Corpus
from soundviews.core.progress import bar
from soundviews.datasets.opening import open_corpus
from soundviews.demo import page as pages
from soundviews.evaluation import open_tasks
from soundviews.evaluation.runner import evaluate
from soundviews.evaluation.separation import choose, separation_figures
from soundviews.model import load
from soundviews.pretraining import separator_run
from soundviews.pretraining.channels import processors_of
from soundviews.pretraining.run import pretrain, resume
from soundviews.recipes.building import build
from soundviews.recipes.loading import load_recipe, load_separator_recipe
from soundviews.recipes.schema import Recipe
from soundviews.recipes.separator import SeparatorRecipe
from soundviews.report.evaluation import evaluation_sections
from soundviews.report.html import write_report
from soundviews.scenes.folder import SceneOptions, write_scenes
from soundviews.separation.preparing import prepare
from soundviews.separation.processor import find_processors, load_processors

CLIPS = 500
LEARN, TEST = [1, 2, 3, 4], [5]
PROTOCOLS = [("qbe", {}), ("linear", {"style": "logistic"})]
JUDGED_SCENES = 20  # by each processor


def demo(
    directory: Path,
    overrides: list[str] | None = None,
    clips: int = CLIPS,
    separator_overrides: list[str] | None = None,
) -> Path:
    """Run the demonstration; started again, it goes on where it was.

    Args:
        directory: Everything goes below it: `scenes/`, `separator/`, `channels/`, `run/` with its bundle,
            `report.html`.
        overrides: Changes to the recipe `demo`, as `--set` takes them.
        clips: Scenes to make.
        separator_overrides: Changes to the recipe `separator/demo`.

    Returns:
        The report.
    """
    started = time.monotonic()
    recipe = load_recipe("demo", overrides)
    separating = load_separator_recipe("separator/demo", separator_overrides)
    scenes, separator, run = directory / "scenes", directory / "separator", directory / "run"
    write_scenes(scenes, SceneOptions(clips=clips))
    corpus = open_corpus(scenes)
    _learn_to_separate(separating, scenes, separator)
    _learn(recipe, corpus, scenes, separator, directory / "channels", run)

    processors = load_processors(separator, list(find_processors(separator))[::-1])
    held_out = corpus.where(folds=TEST)
    judged = choose(held_out, JUDGED_SCENES, sources=2)
    qualities = [separation_figures(processor, judged) for processor in processors]
    model = load(run)
    model.name = "this encoder"
    tasks = open_tasks(corpus, train_folds=LEARN, test_folds=TEST)
    result = evaluate(model, tasks, PROTOCOLS, baselines=True, data="built-in scenes")
    result.save(directory / "evaluation.json")
    return write_report(
        directory / "report.html",
        "A first encoder",
        [
            *evaluation_sections(result),
            pages.separation_section(processors, qualities, held_out, build(recipe, weights=False).log_mel),
            pages.views_section(recipe, corpus, separator),
            pages.training_section(separator, run),
            pages.next_section(),
        ],
        lead=f"Learned from {clips * 4 // 5} built-in sound scenes without their labels, then judged with them.",
        facts=(
            ("clips", f"{clips}"),
            ("steps of the separator", f"{separating.training.steps}"),
            ("steps of the encoder", f"{recipe.training.steps}"),
            ("minutes", f"{(time.monotonic() - started) / 60:.1f}"),
        ),
    )


def _learn_to_separate(recipe: SeparatorRecipe, scenes: Path, run: Path) -> None:
    print(f"Learning to separate: {recipe.training.steps} steps.")
    if (run / "recipe.yaml").is_file():
        separator_run.resume(run)
    else:
        separator_run.train(recipe, str(scenes), run, folds=LEARN)


def _learn(recipe: Recipe, corpus: Corpus, scenes: Path, separator: Path, channels: Path, run: Path) -> None:
    processors = processors_of(recipe, build(recipe, weights=False).views, str(separator))
    if processors:
        clips = corpus.where(folds=LEARN).cut(recipe.audio.clip_seconds)
        print(f"Separating {len(clips)} scenes with {' and '.join(one.name for one in processors)}.")
        with bar("separating", len(clips) * len(processors), "clips", shown=True) as advance:
            prepare(clips, processors, channels, progress=advance)
    print(f"Learning from them: {recipe.training.steps} steps.")
    if (run / "recipe.yaml").is_file():
        resume(run)
    else:
        pretrain(recipe, str(scenes), run, folds=LEARN, separator=str(separator), channels=str(channels))
