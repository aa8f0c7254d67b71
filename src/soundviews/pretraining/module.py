"""The training step, for Lightning."""

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from soundviews.audio.loader import ClipBatch
from soundviews.bundle_config import Statistics
from soundviews.model import standardize
from soundviews.randomness import hashed_seed
from soundviews.recipe import Recipe

from .build import build
from .optimization import create_optimizer, create_schedule


class Pretraining(pl.LightningModule):
    """Two views of every clip agree.

    All randomness of a step is a function of (seed, batch, rank), so that resuming is starting at batch k.
    """

    def __init__(self, recipe: Recipe, steps: int, statistics: Statistics | None) -> None:
        super().__init__()
        self.recipe, self.steps, self.statistics = recipe, steps, statistics
        torch.manual_seed(hashed_seed(recipe.training.seed, "weights"))
        self.log_mel, self.views, encoder, self.objectives = build(recipe)
        self.encoder = encoder.to(memory_format=torch.channels_last)

    def training_step(self, batch: ClipBatch, index: int) -> Tensor:
        keys = (self.recipe.training.seed, index, self.global_rank)
        torch.manual_seed(hashed_seed(*keys, "layers"))  # dropout and stochastic depth
        with torch.autocast(self.device.type, enabled=False):
            size = self.recipe.training.batch_size
            anchor, positive = self.views(batch.samples, batch.lengths, size, keys)
        h_anchor, h_positive = self.encode(anchor, positive)
        total = torch.zeros((), device=self.device)
        for name, objective in self.objectives.items():
            loss = objective(h_anchor, h_positive)
            total = total + loss.value
            self.log_dict({f"{name}_{key}": value for key, value in loss.metrics.items()})
            self.log(f"{name}_loss", loss.value.detach())
        self.log("loss", total.detach(), prog_bar=True)
        return total

    def encode(self, anchor: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
        """Patches of both views (batch, frames, mels) to h (batch, embedding_size) of both."""
        x = [
            standardize(patches, self.statistics)[:, None].contiguous(memory_format=torch.channels_last)
            for patches in (anchor, positive)
        ]
        if self.recipe.training.views_together and x[0].shape == x[1].shape:
            h_anchor, h_positive = self.encoder(torch.cat(x)).chunk(2)
            return h_anchor, h_positive
        return self.encoder(x[0]), self.encoder(x[1])

    def configure_optimizers(self) -> Any:
        training = self.recipe.training
        optimizer = create_optimizer(training.optimizer, [p for p in self.parameters() if p.requires_grad])
        schedule = create_schedule(training.schedule, optimizer, self.steps, training.warmup_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
