"""The whole line on built-in scenes: make them, learn from them, judge what was learned, write the report."""

import time
from pathlib import Path

import torch

from soundviews.audio.corpus import Corpus, open_corpus
from soundviews.audio.loader import training_loader
from soundviews.audio.scenes import SceneOptions, write_scenes
from soundviews.evaluation import make_task
from soundviews.evaluation.runner import Evaluation, evaluate
from soundviews.model import load
from soundviews.pretraining.build import build
from soundviews.pretraining.log import read_metrics
from soundviews.pretraining.run import pretrain, resume
from soundviews.recipe import Recipe, load_recipe
from soundviews.report import figures
from soundviews.report.evaluation import evaluation_sections
from soundviews.report.html import Code, Figure, Section, Text, write_report

CLIPS = 500
LEARN, TEST = [1, 2, 3, 4], [5]
PROTOCOLS = [("qbe", {}), ("linear", {"style": "logistic"})]


def demo(directory: Path, overrides: list[str] | None = None, clips: int = CLIPS) -> Path:
    """Run the demonstration; started again, it goes on where it was.

    Args:
        directory: Everything goes below it: `scenes/`, `run/` with its bundle, `report.html`.
        overrides: Changes to the recipe `demo`, as `--set` takes them.
        clips: Scenes to make.

    Returns:
        The report.
    """
    started = time.monotonic()
    recipe, scenes, run = load_recipe("demo", overrides), directory / "scenes", directory / "run"
    write_scenes(scenes, SceneOptions(clips=clips))
    if (run / "recipe.yaml").is_file():
        resume(run)
    else:
        pretrain(recipe, str(scenes), run, folds=LEARN)
    corpus = open_corpus(scenes)
    task = make_task(corpus, train_folds=LEARN, test_folds=TEST)
    model = load(run)
    model.name = "this encoder"
    result = evaluate(model, [task], PROTOCOLS, baselines=True, data="built-in scenes")
    result.save(directory / "evaluation.json")
    report = directory / "report.html"
    write_report(
        report,
        "A first encoder",
        _sections(recipe, corpus, run, result),
        lead=f"Learned from {clips * 4 // 5} built-in sound scenes without their labels, then judged with them.",
        facts=(
            ("clips", f"{clips}"),
            ("steps", f"{recipe.training.steps}"),
            ("minutes", f"{(time.monotonic() - started) / 60:.1f}"),
        ),
    )
    return report


def _sections(recipe: Recipe, corpus: Corpus, run: Path, result: Evaluation) -> list[Section]:
    return [
        *evaluation_sections(result),
        Section(
            "What it learned from",
            [
                Text(
                    "Two views of the same scene: different seconds of it, each mixed with a faint background from "
                    "another scene, cropped and compressed. The encoder learns to tell which two belong together."
                ),
                Figure(
                    _views(recipe, corpus),
                    "Six scenes: the view above and the one below come from the same recording.",
                    "Log-mel patches of both branches",
                ),
            ],
        ),
        Section(
            "How it went",
            [Figure(figures.training_curves(read_metrics(run / "metrics.csv")), "Loss and in-batch accuracy.")],
        ),
        Section(
            "Now your own recordings",
            [
                Code(
                    "soundviews pretrain MY_RECORDINGS --recipe uclser --out runs/first\n"
                    "soundviews evaluate runs/first --data MY_LABELLED_CLIPS --protocol linear --baselines\n"
                    "soundviews embed runs/first MY_RECORDINGS --out archive.parquet\n"
                    "soundviews search archive.parquet SOUND_I_LOOK_FOR.wav"
                )
            ],
        ),
    ]


def _views(recipe: Recipe, corpus: Corpus) -> "figures.Figure":
    """Both branches' patches of six scenes."""
    parts, size = build(recipe, weights=False), 6
    loader = training_loader(
        corpus, recipe.audio.sample_rate, size, recipe.training.seed, 0, 1, 0, parts.views.backgrounds
    )
    batch = next(iter(loader))
    with torch.inference_mode():
        anchor, positive = parts.views(batch.samples, batch.lengths, size, ("report",))
    names = [", ".join(corpus.vocabulary[label] for label in corpus.clip(int(i)).labels) for i in batch.index[:size]]
    hop = parts.log_mel.hop_length / recipe.audio.sample_rate
    return figures.view_patches(anchor.numpy(), positive.numpy(), hop, names)
