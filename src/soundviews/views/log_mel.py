"""Snippets to patches."""

from torch import Tensor

from soundviews.core.randomness import Randomness
from soundviews.features.registry import FrontEnd
from soundviews.views.registry import View, views


@views.register("log_mel")
class LogMelPatch(View):
    """The log-mel of each snippet, with the recipe's front-end; nothing is drawn."""

    takes, gives = "snippets", "patches"
    augments = False

    def __init__(self, log_mel: FrontEnd) -> None:
        self.log_mel = log_mel

    def __call__(self, snippets: Tensor, rng: Randomness) -> Tensor:
        return self.log_mel(snippets)
