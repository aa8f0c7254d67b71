"""A view and an encoder of our own, named by a recipe: `python examples/own_parts.py RECORDINGS LABELLED`.

A recipe on a YAML page says `uses: [own_parts]` instead, where this file lies beside it.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import soundviews as sv


@sv.views.register("flip_polarity")
class FlipPolarity(sv.views.View):
    """Turn snippets (batch, samples) upside down, each with probability p."""

    takes = gives = "snippets"

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, snippets: Tensor, rng: sv.Randomness) -> Tensor:
        return snippets.where(rng.uniform(len(snippets), 1) < self.p, -snippets)


@sv.encoders.register("pooled_mlp")
class PooledMLP(nn.Module):
    """Mean and maximum over time of patches (batch, 1, frames, mels), then two dense layers: h (batch, size)."""

    def __init__(self, mels: int = 64, embedding_size: int = 128) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        self.layers = nn.Sequential(nn.Linear(2 * mels, 256), nn.ReLU(), nn.Linear(256, embedding_size))

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.layers(torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=2)[:, 0])
        return h


RECIPE = {
    "name": "own",
    "base": "cola/small",
    "encoder": {"pooled_mlp": {}},
    "views": {name: [{"crop": {"seconds": 0.96}}, "flip_polarity", "log_mel"] for name in ("anchor", "positive")},
}


def pretrain_and_judge(
    data: Any, labelled: Any, out: Path, overrides: dict[str, Any]
) -> tuple[sv.Model, sv.Evaluation]:
    model = sv.pretrain(data, out, RECIPE, overrides)
    return model, sv.evaluate(model, labelled, "linear:style=logistic", baselines=True)


if __name__ == "__main__":
    print(pretrain_and_judge(sys.argv[1], sys.argv[2], Path("runs/own"), {"training.steps": 2000})[1])
