"""Multi-crop: two views and further, smaller ones (SwAV: Caron et al., 2020, Sec. 3.2)."""

from typing import Any

import torch
from torch import Tensor, nn

from soundviews.core.component import component
from soundviews.core.errors import SoundviewsError
from soundviews.objectives.base import Loss, objectives


@objectives.register("multi_crop", example={"objective": {"nt_xent": {}}})
class MultiCrop(nn.Module):
    """An objective of two views, applied to the two and to each further view with each of the two; their mean.

    Further views are never compared with one another. They are best cut shorter than the two, which makes them cheap.

    Args:
        objective: {name: options} of an objective of two views; one that is asymmetric gets the further view as anchor.
    """

    further = True

    def __init__(self, embedding_size: int, objective: dict[str, dict[str, Any]]) -> None:
        super().__init__()
        named = component(objective)
        self.pairwise = objectives.create(named.name, named.options, embedding_size=embedding_size)
        asks = hasattr(self.pairwise, "momentum") or getattr(self.pairwise, "positions", False)
        if asks or getattr(self.pairwise, "further", False):
            raise ValueError(f"objective is {named.name}; it must be one of two views alone, such as nt_xent")
        if hasattr(self.pairwise, "project"):
            self.project = self.pairwise.project

    def forward(self, h_a: Tensor, h_b: Tensor, *further: Tensor) -> Loss:
        """h_a, h_b and each further view: (batch, embedding_size). The metric "accuracy" is that of the two views,
        "further_accuracy" that of the pairs with a further one."""
        if not further:
            raise SoundviewsError("multi_crop compares two views with further ones: add views.further to the recipe")
        both = self.pairwise(h_a, h_b)
        pairs = [self.pairwise(h, whole) for h in further for whole in (h_a, h_b)]
        metrics = {**both.metrics, "further_accuracy": _mean([pair.metrics["accuracy"] for pair in pairs])}
        return Loss(_mean([both.value, *(pair.value for pair in pairs)]), metrics)


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean()
