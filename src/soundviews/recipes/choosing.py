"""Which recipe, where nobody says: by the clips, the hours of audio and whether there is a GPU. No torch here.

Without a GPU it is `uclser/small`. 1,200 clips get its 900 steps of 64; more or fewer clips get more or fewer steps, so
that each is heard as often, between FEWEST_STEPS, which leave time to learn, and MOST_STEPS, which take four times as
long as those of 1,200 clips. With a GPU it is the paper's `uclser`, 500 times through the clips, up to MUCH_AUDIO; of
more than that no clip need be heard hundreds of times, and it is `cola`, 100,000 steps. No batch has more clips than
there are. Of MANY_RECORDINGS or more a few are held out, to tell at the end whether it worked.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from soundviews.core.durations import said_duration
from soundviews.core.errors import option
from soundviews.recipes.reading import Overrides

SMALL, MIDDLE, LARGE = "uclser/small", "uclser", "cola"
BATCHES = {SMALL: 64, MIDDLE: 128, LARGE: 64}  # of the recipes, at most
STEPS, FOR_CLIPS = 900, 1200  # of the small recipe
FEWEST_STEPS, MOST_STEPS = 300, 3600
WARMUP_SHARE = 9  # of so many steps one warms up
MUCH_AUDIO = 50 * 3600.0  # seconds
HELD_OUT, MANY_RECORDINGS = 0.05, 400  # so many can spare a twentieth for the check of what was learnt


class Choice(NamedTuple):
    """recipe: a shipped one's name; changes: of its page, by `section.key`; why: one line."""

    recipe: str
    changes: dict[str, Any]
    why: str

    def overridden(self, overrides: Overrides) -> Overrides:
        """The changes, and after them those that somebody asked for."""
        if not overrides:
            return self.changes
        if isinstance(overrides, Mapping):
            return {**self.changes, **overrides}
        return overrides if isinstance(overrides, str) else [f"{k}={v}" for k, v in self.changes.items()] + [*overrides]


def choose_recipe(recordings: int, seconds: float, gpu: bool, devices: int = 1) -> Choice:
    """The recipe for so many recordings, as the module says.

    Args:
        seconds: Of audio, in all of them.
        gpu: Whether there is one.
        devices: GPUs or processes, each of which has batches of its own.
    """
    recipe = (LARGE if seconds > MUCH_AUDIO else MIDDLE) if gpu else SMALL
    # Longer recordings are several clips: 10 s each for the small recipe.
    clips = max(recordings, int(seconds / 10)) if recipe == SMALL else recordings
    batch = max(2, min(BATCHES[recipe], clips // devices))
    changes: dict[str, Any] = {"training.held_out": HELD_OUT} if recordings >= MANY_RECORDINGS else {}
    if batch < BATCHES[recipe]:
        changes["training.batch_size"] = batch
    length = {MIDDLE: "500 times through them", LARGE: "100,000 steps"}.get(recipe, "")
    if recipe == SMALL:
        wanted = STEPS * clips / FOR_CLIPS * BATCHES[SMALL] / (batch * devices)
        steps = round(min(max(wanted, FEWEST_STEPS), MOST_STEPS))
        changes |= {"training.steps": steps, "training.warmup_steps": steps // WARMUP_SHARE}
        length = f"{steps:,} steps"
    named = "1 recording" if recordings == 1 else f"{recordings:,} recordings"
    why = (
        f"recipe {recipe}, {length} of {batch} clips: for {named}, {said_duration(seconds)} of audio, and "
        f"{'a' if gpu else 'no'} GPU ({option('recipe')} names another)"
    )
    return Choice(recipe, changes, why)
