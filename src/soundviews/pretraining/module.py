"""The training step, for Lightning."""

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from soundviews.audio.loader import ClipBatch
from soundviews.core.randomness import hashed_seed
from soundviews.model import standardize
from soundviews.recipes.building import build
from soundviews.recipes.optimization import create_optimizer, create_schedule
from soundviews.recipes.schema import Recipe, Statistics
from soundviews.separation.processor import Processor

from .channels import Draw, channels_of


class Pretraining(pl.LightningModule):
    """Two views of every clip agree.

    All randomness of a step is a function of (seed, batch, rank), so that resuming is starting at batch k.

    Args:
        processors: Of the views that separate, for batches that come without their channels.
    """

    def __init__(
        self, recipe: Recipe, steps: int, statistics: Statistics | None, processors: Sequence[Processor] = ()
    ) -> None:
        super().__init__()
        self.recipe, self.steps, self.statistics = recipe, steps, statistics
        torch.manual_seed(hashed_seed(recipe.training.seed, "weights"))
        self.log_mel, self.views, encoder, self.objectives = build(recipe)
        self.encoder = encoder.to(memory_format=torch.channels_last)
        self.processors = list(processors)
        own = list(self.objectives)[1:] if recipe.views.per_objective else []
        self.draw = Draw(self.views, recipe.training.seed, [(), *((name,) for name in own)])

    def on_fit_start(self) -> None:
        for processor in self.processors:
            processor.to(self.device)

    def training_step(self, batch: ClipBatch, index: int) -> Tensor:
        keys = (self.recipe.training.seed, index, self.global_rank)
        torch.manual_seed(hashed_seed(*keys, "layers"))  # dropout and stochastic depth
        with torch.autocast(self.device.type, enabled=False):
            pairs = self.make_views(batch, index)
        encoded = self.encode(pairs)
        total = torch.zeros((), device=self.device)
        for place, (name, objective) in enumerate(self.objectives.items()):
            loss = objective(*encoded[place % len(encoded)])
            total = total + loss.value
            self.log_dict({f"{name}_{key}": value for key, value in loss.metrics.items()})
            self.log(f"{name}_loss", loss.value.detach())
        self.log("loss", total.detach(), prog_bar=True)
        return total

    def make_views(self, batch: ClipBatch, index: int) -> list[tuple[Tensor, Tensor]]:
        """Anchors and positives, (batch, frames, mels) each: one pair for all objectives, or one for each."""
        size = self.recipe.training.batch_size
        wanted = self.draw(index, self.global_rank, size)
        channels = channels_of(batch, self.processors, wanted, size)
        pairs, blocks = [], len(wanted) // len(self.draw.suffixes)
        for place, suffix in enumerate(self.draw.suffixes):
            keys = (self.recipe.training.seed, index, self.global_rank, *suffix)
            own = None if channels is None else channels[place * blocks : (place + 1) * blocks]
            pairs.append(self.views(batch.samples, batch.lengths, size, keys, own))
        return pairs

    def encode(self, pairs: list[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
        """Patches of both views (batch, frames, mels) to h (batch, embedding_size) of both, for each pair."""
        x = [standardize(patches, self.statistics)[:, None] for pair in pairs for patches in pair]
        together = self.recipe.training.views_together and len({patches.shape for patches in x}) == 1
        batches = [torch.cat(x)] if together else x
        h = [self.encoder(patches.contiguous(memory_format=torch.channels_last)) for patches in batches]
        flat = list(h[0].chunk(len(x))) if together else h
        return list(zip(flat[::2], flat[1::2], strict=True))

    def configure_optimizers(self) -> Any:
        training = self.recipe.training
        optimizer = create_optimizer(training.optimizer, [p for p in self.parameters() if p.requires_grad])
        schedule = create_schedule(training.schedule, optimizer, self.steps, training.warmup_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
