"""The training step of a separator, for Lightning."""

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from soundviews.audio.loader import ClipBatch
from soundviews.core.component import component
from soundviews.core.randomness import Randomness, hashed_seed
from soundviews.features.patches import cut
from soundviews.recipes.optimization import create_optimizer, create_schedule
from soundviews.recipes.separator import SeparatorRecipe
from soundviews.separation.mixit import mixit
from soundviews.separation.mixtures import DegenerateShare, mix_pairs
from soundviews.separation.processor import separators


class SeparatorTraining(pl.LightningModule):
    """MixIT: separate mixtures of mixtures so that some remix of the channels gives the mixtures back.

    All randomness of a step is a function of (seed, batch, rank).
    """

    def __init__(self, recipe: SeparatorRecipe, steps: int) -> None:
        super().__init__()
        self.recipe, self.steps = recipe, steps
        named = component(recipe.separator)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(hashed_seed(recipe.training.seed, "weights"))
            self.network = separators.create(named.name, named.options)
        self.degenerate = DegenerateShare()

    def training_step(self, batch: ClipBatch, index: int) -> Tensor:
        whole, mixtures = mix_pairs(self.segments(batch, index), self.recipe.mixtures.level_match)
        estimates = self.network(whole)
        losses, assignment = mixit(estimates, mixtures, self.recipe.mixtures.snr_max)
        loss = losses.mean()
        energies = 10 * torch.log10(mixtures.square().sum(2) + 1e-8).mean()
        self.log("loss", loss.detach())
        self.log("snr", energies - loss.detach())  # of the remixes, dB; the loss itself depends on the level
        self.log("degenerate", self.degenerate.update(assignment))
        return loss

    def segments(self, batch: ClipBatch, index: int) -> Tensor:
        """A random stretch of each clip (clips, samples)."""
        size = round(self.recipe.mixtures.seconds * self.recipe.audio.sample_rate)
        rng = Randomness(self.recipe.training.seed, index, self.global_rank, "segments", device=batch.samples.device)
        starts = rng.integers((batch.lengths - size + 1).clamp(min=1))
        return cut(batch.samples, batch.lengths, starts[:, None], size, fill="pad_end")[:, 0]

    def configure_optimizers(self) -> Any:
        training = self.recipe.training
        optimizer = create_optimizer(training.optimizer, self.parameters())
        schedule = create_schedule(training.schedule, optimizer, self.steps, training.warmup_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["degenerate"] = self.degenerate.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.degenerate.load_state_dict(checkpoint["degenerate"])
