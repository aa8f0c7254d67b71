"""The scalars that patches are standardised with."""

import logging
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import training_loader
from soundviews.core.errors import SoundviewsError
from soundviews.core.progress import bar
from soundviews.core.randomness import Randomness
from soundviews.features.patches import Clips
from soundviews.recipes.building import Parts
from soundviews.recipes.schema import Recipe, Statistics
from soundviews.views.pipeline import TwoViews
from soundviews.views.registry import View

logger = logging.getLogger(__name__)

PATCHES = 4096  # a fraction of a percent of either scalar's error; the original read every bin of its corpus


@torch.random.fork_rng(devices=[])  # the loader draws a seed, which decides nothing here
def corpus_statistics(
    recipe: Recipe, parts: Parts, corpus: Corpus, workers: int = 0, strict: bool = False
) -> Statistics:
    """Mean and true standard deviation over all bins of un-augmented random patches, in float64.

    One patch a clip, of up to `PATCHES` clips in the order of the first epoch. (The original divides the deviation
    by the square root of the number of bins; that is not repeated.)
    """
    steps = plain_steps(parts.views)
    size = min(64, len(corpus))
    loader = training_loader(
        corpus,
        recipe.audio.sample_rate,
        size,
        seed=recipe.training.seed,
        start_step=0,
        steps=min(PATCHES, len(corpus)) // size,
        workers=workers,
        strict=strict,
    )
    count, total, squares = 0, 0.0, 0.0
    with bar("measuring mean and deviation", min(PATCHES, len(corpus)) // size * size, "clips") as advance:
        for number, batch in enumerate(loader):
            rng = Randomness(recipe.training.seed, number, "statistics")
            patches: Any = Clips(batch.samples, batch.lengths)
            for name, view in steps:
                patches = view(patches, rng.child(*name))
            patches = patches.double()
            count += patches.numel()
            total += float(patches.sum())
            squares += float((patches**2).sum())
            advance(size)
    mean = total / count
    deviation = max(squares / count - mean**2, 0.0) ** 0.5
    return Statistics(mean=mean, std=max(deviation, torch.finfo(torch.float32).eps))


def kept_statistics(recipe: Recipe, run: Path) -> Statistics | None:
    """What a run standardises with: what its recipe says, or what it measured of its clips."""
    if recipe.statistics != "corpus":
        return recipe.statistics
    file = statistics_file(run)
    try:
        return Statistics.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise SoundviewsError(f"{file} is missing or damaged; the training of this run measures it anew") from error


def is_kept(file: Path) -> bool:
    """Whether a run has measured its clips; what is damaged is measured anew, which gives the same."""
    try:
        Statistics.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return False
    except (OSError, ValidationError):
        logger.warning("%s is damaged: measured anew", file)
        return False
    return True


def statistics_file(run: Path) -> Path:
    """Where a run keeps what it measured."""
    return run / "statistics.json"


def plain_steps(views: TwoViews) -> list[tuple[tuple[str, int], View]]:
    """The anchor's steps up to its first patches, without those that augment."""
    steps = []
    for name, view in views.branches[0].steps:
        if not view.augments:
            steps.append((name, view))
        if view.gives == "patches":
            break
    return steps
