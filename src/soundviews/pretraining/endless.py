"""A training's batches where its corpus is endless synthesised sound."""

from soundviews.audio.loader import TrainingLoader, loader_of
from soundviews.recipes.building import Parts
from soundviews.scenes.endless_corpus import EndlessCorpus
from soundviews.scenes.endless_pairs import EndlessPairs

from .fit import Run, steps_done
from .process import device_rank


def endless_batches(run: Run, corpus: EndlessCorpus, parts: Parts, steps: int) -> TrainingLoader:
    """This device's batches of positive pairs from the last checkpoint on up to `steps`.

    Where all views begin with `patch`, the batches hold the log-mel of each clip, which is then computed once for all
    the crops that a training takes of it.
    """
    recipe, settings, done = run.recipe, run.settings, steps_done(run.directory)
    pairs = EndlessPairs(
        corpus.options,
        recipe.audio.sample_rate,
        recipe.training.batch_size,
        recipe.training.seed,
        parts.views.backgrounds,
        rank=device_rank(settings.devices),
        world_size=settings.devices,
        log_mel=parts.log_mel if parts.views.begin_with_patches else None,
    )
    first, left = done * recipe.training.accumulate, (steps - done) * recipe.training.accumulate
    return loader_of(pairs, first, left, settings.decoding_workers)
