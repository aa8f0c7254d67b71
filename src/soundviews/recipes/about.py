"""What a person who chooses a recipe wants to know: which come first, what one costs, what it has reached.

Every figure here stands in the page that is named beside it, with the command that it came from; a test looks it up.
No torch at import: recipes are listed quickly.
"""

from typing import Any, NamedTuple

from soundviews.recipes.schema import Length, Recipe
from soundviews.recipes.separator import SeparatorRecipe

FIRST = {
    "uclser/small": "an encoder of some hundred to some thousand recordings, without a GPU",
    "uclser": "an encoder of hours and days of audio, with a GPU: the paper's settings",
    "separator/small": "channels of your recordings, without a GPU: for `soundviews separate train`",
}
"""The recipes that a newcomer needs, and for what."""


class Figure(NamedTuple):
    """Something that was measured. source: the page that it stands in."""

    words: str
    source: str


TIMES = {
    "uclser/small": Figure("29 min on one core of a server CPU", "README.md"),
    "cola/small": Figure("15 min on one core of a server CPU", "README.md"),
    "acl/small": Figure("6 min on one core of a server CPU", "README.md"),
    "base": Figure("69 minutes on an Intel Xeon, about one core of it", "docs/results/base.md"),
    "demo": Figure("4 min on one core for all of `soundviews demo`", "README.md"),
    "separator/small": Figure("14 min on a server CPU", "docs/results/ssep_scenes.md"),
}
_ESC50 = "ESC-50: learned from 800 clips, judged on the 400 of fold 3; log-mel statistics in brackets: "
_ACL = "ESC-50: learned from 800 clips, judged on the 400 of fold 3, 3 seeds; log-mel statistics in brackets: "
_SSEP = "ESC-50, but with vgg_like, 500 steps and batches of 32; log-mel statistics in brackets: "
REACHED = {
    "base": Figure(
        "ESC-50, three folds in turn, without having heard a recording; log-mel statistics in brackets: logistic "
        "regression 0.714 (0.423), retrieval 0.286 (0.101)",
        "docs/results/base.md",
    ),
    "uclser/small": Figure(
        f"{_ESC50}linear 0.547 (0.415), query by example 0.208 (0.100); fine-tuned 0.583, from scratch 0.420",
        "docs/results/esc50.md",
    ),
    "cola/small": Figure(
        f"{_ESC50}linear 0.260 (0.385), query by example 0.104 (0.100); fine-tuned 0.407, from scratch 0.425",
        "docs/results/esc50.md",
    ),
    "cola/small-augmented": Figure(
        f"{_ESC50}linear 0.320 (0.385), query by example 0.112 (0.100)", "docs/results/esc50.md"
    ),
    "acl/small": Figure(f"{_ACL}linear 0.261 (0.378)", "docs/results/acl.md"),
    "acl/small/noise": Figure(f"{_ACL}linear 0.267 (0.378)", "docs/results/acl.md"),
    "acl/small/stretch": Figure(f"{_ACL}linear 0.274 (0.378)", "docs/results/acl.md"),
    "acl/small/room": Figure(f"{_ACL}linear 0.266 (0.378)", "docs/results/acl.md"),
    "acl/small/masking": Figure(f"{_ACL}linear 0.258 (0.378)", "docs/results/acl.md"),
    "ssep/table2/mix-mix-sa": Figure(
        f"{_SSEP}linear 0.357 (0.427), query by example 0.118 (0.100)", "docs/results/ssep_esc50.md"
    ),
    "ssep/table2/mix-chan-sa": Figure(
        f"{_SSEP}linear 0.450 (0.427), query by example 0.152 (0.100)", "docs/results/ssep_esc50.md"
    ),
    "ssep/table4/n": Figure(
        f"{_SSEP}linear 0.407 (0.427), query by example 0.136 (0.100)", "docs/results/ssep_esc50.md"
    ),
    "separator/small": Figure(
        "built-in scenes that it had not heard: MoMi of mixtures of two of them 3.51 dB, untrained -1.23 dB",
        "docs/results/ssep_scenes.md",
    ),
}


def explain_recipe(recipe: Recipe | SeparatorRecipe) -> list[tuple[str, str]]:
    """What a recipe is for, what it costs and what it has reached: (word, sentence) pairs."""
    name = recipe.name
    about = [("for", FIRST[name])] if name in FIRST else []
    about += [("what", " ".join(recipe.about.split())), ("keeps", f"{_count_weights(recipe):,} weights")]
    about.append(("sees", _clips_seen(recipe.training, separator=isinstance(recipe, SeparatorRecipe))))
    about.append(("takes", _say(TIMES.get(name), "not measured here; `pretrain` says what is left once it runs")))
    about.append(("reached", _say(REACHED.get(name), "not measured here")))
    return about


def _say(figure: Figure | None, otherwise: str) -> str:
    return f"{figure.words} ({figure.source})" if figure else otherwise


def _count_weights(recipe: Recipe | SeparatorRecipe) -> int:
    """Weights of the encoder that is kept, or of the separator. The networks are built without memory."""
    import torch

    from soundviews.core.component import component
    from soundviews.encoders import create_encoder
    from soundviews.separation.processor import separators

    network: Any
    with torch.device("meta"):
        if isinstance(recipe, SeparatorRecipe):
            named = component(recipe.separator)
            network = separators.create(named.name, named.options)
        else:
            named = component(recipe.encoder)
            network = create_encoder(named.name, **named.options)
    return sum(weights.numel() for weights in network.parameters())


def _clips_seen(training: Length, separator: bool) -> str:
    """Steps, batch and how many clips that makes; a step of a separator takes two clips for each mixture."""
    unit = "mixtures of two clips" if separator else "clips"
    batch = getattr(training, "clips_per_step", None) or training.batch_size * training.accumulate
    if training.steps is None:
        return f"every clip {training.epochs:,g} times, {batch:,} {unit} a step"
    clips = training.steps * batch * (2 if separator else 1)
    return f"{clips:,} clips: {training.steps:,} steps of {batch:,} {unit}"
