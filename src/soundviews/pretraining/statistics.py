"""The scalars that patches are standardised with."""

import torch

from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import training_loader
from soundviews.core.randomness import Randomness
from soundviews.features.patches import Clips
from soundviews.recipes.building import build
from soundviews.recipes.schema import Recipe, Statistics
from soundviews.views.pipeline import Branch

PATCHES = 4096  # a fraction of a percent of either scalar's error; the original read every bin of its corpus


def corpus_statistics(recipe: Recipe, corpus: Corpus, workers: int = 0, strict: bool = False) -> Statistics:
    """Mean and true standard deviation over all bins of un-augmented random patches, in float64.

    One patch a clip, of up to `PATCHES` clips in the order of the first epoch. (The original divides the deviation
    by the square root of the number of bins; that is not repeated.)
    """
    log_mel = build(recipe, weights=False).log_mel
    branch = Branch(plain_steps(recipe), log_mel=log_mel, sample_rate=recipe.audio.sample_rate, fill=recipe.audio.fill)
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
    for number, batch in enumerate(loader):
        rng = Randomness(recipe.training.seed, number, "statistics")
        patches = branch(Clips(batch.samples, batch.lengths), rng).double()
        count, total, squares = (
            count + patches.numel(),
            total + float(patches.sum()),
            squares + float((patches**2).sum()),
        )
    mean = total / count
    deviation = max(squares / count - mean**2, 0.0) ** 0.5
    return Statistics(mean=mean, std=max(deviation, torch.finfo(torch.float32).eps))


def plain_steps(recipe: Recipe) -> list:
    """The anchor's steps up to its first patches, without waveform augmentation."""
    steps = []
    for step in recipe.views.anchor:
        name = step if isinstance(step, str) else next(iter(step))
        if name in ("peak_normalize", "l2_normalize", "crop"):
            steps.append(step)
        elif name in ("patch", "log_mel"):
            return [*steps, step]
    return steps
