"""Judging while training: a protocol on a labelled corpus every so many steps."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from soundviews.evaluation import protocols
from soundviews.evaluation.tasks import Task
from soundviews.pretraining.export import model_of
from soundviews.recipe import Evaluation

from .module import Pretraining


class PeriodicEvaluation(pl.Callback):
    """Logs the protocol's metrics as `eval_NAME` and keeps `best.ckpt` by the recipe's metric."""

    def __init__(self, settings: Evaluation, task: Task, directory: Path) -> None:
        self.settings, self.task, self.directory = settings, task, directory
        self.best: float | None = None

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        due = trainer.global_step % self.settings.steps == 0 or trainer.global_step == trainer.max_steps
        if not due or (index + 1) % trainer.accumulate_grad_batches:
            return
        assert isinstance(module, Pretraining)
        if trainer.is_global_zero:
            with torch.random.fork_rng(devices=[]):
                score = protocols.get(self.settings.protocol)(model_of(module), self.task, module.recipe.training.seed)
            module.train()
            if self.settings.metric not in score.metrics:
                raise KeyError(
                    f"{self.settings.protocol} has no metric {self.settings.metric!r}: {list(score.metrics)}"
                )
            for logger in trainer.loggers:
                logger.log_metrics({f"eval_{k}": v for k, v in score.metrics.items()}, trainer.global_step)
            value = score.metrics[self.settings.metric]
        else:
            value = 0.0
        value = trainer.strategy.broadcast(value)
        if self.best is None or value > self.best:
            self.best = value
            trainer.save_checkpoint(self.directory / "best.ckpt")

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best = state["best"]
