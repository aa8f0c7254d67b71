"""The training step, for Lightning."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from soundviews.audio.loader import ClipBatch
from soundviews.core.randomness import hashed_seed
from soundviews.model import standardize
from soundviews.objectives import Average
from soundviews.recipes.building import Parts
from soundviews.recipes.optimization import create_optimizer, create_schedule
from soundviews.recipes.schema import Recipe, Statistics
from soundviews.separation.processor import Processor

from .channels import channels_of, draw_of
from .health import health_of

Views = tuple[Tensor, ...]  # anchors, positives and any further views


class Pretraining(pl.LightningModule):
    """The views of every clip agree.

    All randomness of a step is a function of (seed, batch, rank), so that resuming is starting at batch k.

    Args:
        parts: What `build` made of the recipe.
        processors: Of the views that separate, for batches that come without their channels.

    Attributes:
        averaged: For each objective that has a momentum, by its name, the averaged copy of encoder and head. It is in
            the checkpoints, but no optimiser and no gradient reaches it.
    """

    def __init__(
        self,
        recipe: Recipe,
        parts: Parts,
        steps: int,
        statistics: Statistics | None,
        processors: Sequence[Processor] = (),
    ) -> None:
        super().__init__()
        self.recipe, self.steps, self.statistics = recipe, steps, statistics
        self.log_mel, self.views, encoder, self.objectives, self.weights = parts
        self.encoder = encoder.to(memory_format=torch.channels_last)
        self.averaged = nn.ModuleDict(
            {
                name: Average(self.projecting(name))
                for name, part in parts.objectives.items()
                if hasattr(part, "momentum")
            }
        )
        self.processors = list(processors)
        self.draw = draw_of(recipe, parts)

    def projecting(self, objective: str) -> nn.Module:
        """Encoder and head of an objective: patches (batch, 1, frames, mels) to projections."""
        head: Any = self.objectives[objective].head
        return nn.Sequential(self.encoder, head)

    def on_fit_start(self) -> None:
        for processor in self.processors:
            processor.to(self.device)

    def training_step(self, batch: ClipBatch, index: int) -> Tensor:
        keys = (self.recipe.training.seed, index, self.global_rank)
        torch.manual_seed(hashed_seed(*keys, "layers"))  # dropout and stochastic depth
        with torch.autocast(self.device.type, enabled=False):
            draws = self.make_views(batch, index)
        embedded = self.encode(draws)
        total = torch.zeros((), device=self.device)
        for number, (name, objective) in enumerate(self.objectives.items()):
            draw = number % len(draws)
            h = embedded[draw] if getattr(objective, "further", False) else embedded[draw][:2]
            asked: dict[str, Views] = {}
            if name in self.averaged:
                asked["averaged"] = self.encode([draws[draw][:2]], self.averaged[name])[0]
            if getattr(objective, "positions", False):
                asked["positions"] = self.positions(batch, index, draw)
            loss = objective(*h, **asked)
            total = total + self.weights[name] * loss.value
            self.log_dict({f"{name}_{key}": value for key, value in loss.metrics.items()})
            self.log(f"{name}_loss", loss.value.detach())
        self.log("loss", total.detach(), prog_bar=True)
        self.log_dict(health_of(embedded[0][0].detach()))
        return total

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """For a row of metrics.csv, the norm of all gradients as they are before they are clipped."""
        if (self.trainer.global_step + 1) % self.trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            gradients = [p.grad for p in self.parameters() if p.grad is not None]
            self.log("gradient_norm", torch.nn.utils.get_total_norm(gradients))

    def make_views(self, batch: ClipBatch, index: int) -> list[Views]:
        """Views of the batch's examples, (batch, frames, mels) each: one draw for all objectives, or one for each."""
        keys: tuple[Any, ...] = (self.recipe.training.seed, index, self.global_rank)
        if batch.log_mels is not None:
            return [self.views.of_log_mels(batch.log_mels, (*keys, *suffix)) for suffix in self.draw.suffixes]
        size = self.recipe.training.batch_size
        wanted = self.draw(index, self.global_rank, size)
        channels = channels_of(batch, self.processors, wanted, size)
        draws, blocks = [], len(wanted) // len(self.draw.suffixes)
        for number, suffix in enumerate(self.draw.suffixes):
            keys = (self.recipe.training.seed, index, self.global_rank, *suffix)
            of_draw = None if channels is None else channels[number * blocks : (number + 1) * blocks]
            draws.append(self.views(batch.samples, batch.lengths, keys, of_draw, batch.positives))
        return draws

    def positions(self, batch: ClipBatch, index: int, draw: int) -> Views:
        """When in its clip, in seconds, anchor and positive of each example of a draw of `make_views` begin."""
        keys = (self.recipe.training.seed, index, self.global_rank, *self.draw.suffixes[draw])
        lengths = batch.lengths
        if batch.log_mels is not None:
            _, rows, frames, _ = batch.log_mels.shape
            lengths = torch.full((rows,), self.log_mel.samples(frames), device=self.device)
        seconds = self.views.positions(lengths, keys) / self.recipe.audio.sample_rate
        return tuple(seconds[:2])

    def encode(self, draws: Sequence[Views], network: nn.Module | None = None) -> list[Views]:
        """Patches (batch, frames, mels) of each view of each draw to h (batch, embedding_size).

        Those of one size pass the encoder in one batch if the recipe says `views_together`.

        Args:
            network: What they pass; None for the encoder.
        """
        network = self.encoder if network is None else network
        x = [standardize(patches, self.statistics)[:, None] for views in draws for patches in views]
        sizes = [patches.shape if self.recipe.training.views_together else number for number, patches in enumerate(x)]
        h: dict[int, Tensor] = {}
        for size in dict.fromkeys(sizes):
            numbers = [number for number in range(len(x)) if sizes[number] == size]
            patches = x[numbers[0]] if len(numbers) == 1 else torch.cat([x[number] for number in numbers])
            vectors = network(patches.contiguous(memory_format=torch.channels_last))
            h.update(zip(numbers, vectors.chunk(len(numbers)), strict=True))
        ordered = iter([h[number] for number in range(len(x))])
        return [tuple(islice(ordered, len(views))) for views in draws]

    def configure_optimizers(self) -> Any:
        training = self.recipe.training
        optimizer = create_optimizer(training.optimizer, [p for p in self.parameters() if p.requires_grad])
        schedule = create_schedule(training.schedule, optimizer, self.steps, training.warmup_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def optimizer_step(self, *args: Any, **options: Any) -> None:
        """The step of the optimiser, after which the averages follow."""
        super().optimizer_step(*args, **options)
        share = self.trainer.global_step / self.steps
        for name, average in self.averaged.items():
            objective: Any = self.objectives[name]
            assert isinstance(average, Average)
            average.update(self.projecting(name), objective.momentum(share))
