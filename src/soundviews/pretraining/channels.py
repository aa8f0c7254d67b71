"""Where a training's separated channels come from: kept on disk, or made in the step. The draws are the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import ClipBatch
from soundviews.core.errors import SoundviewsError, option, words
from soundviews.recipes.building import Parts
from soundviews.recipes.schema import Recipe
from soundviews.separation.draw import Wanted
from soundviews.separation.on_the_fly import separate_wanted
from soundviews.separation.prepared import DrawnChannels, PreparedChannels
from soundviews.separation.processor import Processor, load_processors
from soundviews.views.pipeline import TwoViews


def processors_of(
    recipe: Recipe, views: TwoViews, separator: str | None, channels: str | None = None
) -> list[Processor]:
    """The processors that the recipe's views name, from a run of `soundviews separate train`.

    Raises:
        SoundviewsError: none were given, one is missing, their sample rate is not the recipe's, or there is a
            separator or channels that the recipe does not use.
    """
    if not views.processors:
        if separator or channels:
            raise SoundviewsError(
                f"recipe {recipe.name!r} does not separate: leave out {option('separator')} and {option('channels')}, "
                "or choose a recipe whose views have the step separate (soundviews recipes)"
            )
        return []
    if separator is None:
        raise SoundviewsError(
            f"recipe {recipe.name!r} separates with {', '.join(views.processors)}: say "
            f"{option('separator')} RUN, a run of {words('soundviews separate train', 'soundviews.train_separator')} "
            f"(prepared channels: {option('channels')} DIR besides)"
        )
    processors = load_processors(Path(separator), views.processors)
    if (rate := processors[0].sample_rate) != recipe.audio.sample_rate:
        raise SoundviewsError(
            f"the processors of {separator} separate audio of {rate} Hz, but recipe {recipe.name!r} has "
            f"audio.sample_rate {recipe.audio.sample_rate}: train a separator at that rate, or change the recipe"
        )
    wanted, few = views.wanted(1, ()), min(processors, key=lambda processor: processor.sources)
    if len(wanted) > 1 and min(draw.choices(few.sources) for draw in wanted) < 2:
        raise SoundviewsError(
            f"both branches of recipe {recipe.name!r} separate, so each goes on with another channel, but processor "
            f"{few.name} has {few.sources} channels, less the worst one: leave out discard_worst"
        )
    return processors


@dataclass(frozen=True)
class Draw:
    """What the blocks of channels of a step hold, in the order in which the step uses them."""

    views: TwoViews
    seed: int
    suffixes: Sequence[tuple[Any, ...]]

    def __call__(self, step: int, rank: int, batch: int) -> list[Wanted]:
        keys = [(self.seed, step, rank, *suffix) for suffix in self.suffixes]
        return [wanted for draw_keys in keys for wanted in self.views.wanted(batch, draw_keys)]


def draw_of(recipe: Recipe, parts: Parts) -> Draw:
    """One block of draws for all objectives, or one for each."""
    further = list(parts.objectives)[1:] if recipe.views.per_objective else []
    return Draw(parts.views, recipe.training.seed, [(), *((name,) for name in further)])


def prepared_source(directory: str, corpus: Corpus, processors: list[Processor], draw: Draw) -> DrawnChannels:
    """Channels that `soundviews prepare` kept, for the loader."""
    return DrawnChannels(PreparedChannels(Path(directory), corpus, processors), draw)


def channels_of(batch: ClipBatch, processors: list[Processor], wanted: list[Wanted], batch_size: int) -> Tensor | None:
    """(blocks, batch_size, samples): those that came with the batch, or those separated now; None for no blocks."""
    if batch.channels is not None or not wanted:
        return batch.channels
    return separate_wanted(processors, batch.samples[:batch_size], batch.lengths[:batch_size], wanted)
