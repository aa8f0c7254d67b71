"""Judging while training: a protocol on a labelled corpus every so many steps."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.evaluation.score import protocols
from soundviews.evaluation.tasks import Task, open_tasks
from soundviews.recipes.schema import Evaluation, Recipe

from .export import model_of
from .module import Pretraining

POOLED = ("knn", "qbe")  # they judge one set of clips against itself and train nothing


def judging_task(recipe: Recipe, settings: dict[str, Any]) -> Task | None:
    """The task of a run's periodic evaluation, None where the recipe or the run asks for none.

    Args:
        settings: `evaluation_data` and `evaluation_folds` of the run.
    """
    if recipe.evaluation is None or settings["evaluation_data"] is None:
        return None
    corpus = open_corpus(settings["evaluation_data"])
    if settings["evaluation_folds"]:
        corpus = corpus.where(folds=settings["evaluation_folds"])
    if not corpus.vocabulary or not len(corpus):
        raise SoundviewsError(f"{settings['evaluation_data']} has no labelled clips to judge by")
    if recipe.evaluation.protocol in POOLED:
        none = np.empty(0, dtype=np.int64)
        return Task(corpus, none, none, np.arange(len(corpus)), "all clips")
    return open_tasks(corpus)[0]


class PeriodicEvaluation(pl.Callback):
    """Logs the protocol's metrics as `eval_NAME` and keeps `best.ckpt` by the recipe's metric.

    `best` is where the mean of the last `plateau` evaluations is highest. There is none before so many have been
    made, unless the training ends earlier: then the last step is it.
    """

    def __init__(self, settings: Evaluation, task: Task, directory: Path) -> None:
        self.settings, self.task, self.directory = settings, task, directory
        self.best: float | None = None
        self.recent: list[float] = []  # the last `plateau` values, oldest first

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
                raise SoundviewsError(
                    f"{self.settings.protocol} has no metric {self.settings.metric!r}: {list(score.metrics)}"
                )
            for logger in trainer.loggers:
                logger.log_metrics({f"eval_{k}": v for k, v in score.metrics.items()}, trainer.global_step - 1)
            value = score.metrics[self.settings.metric]
        else:
            value = 0.0
        if self._is_best(trainer.strategy.broadcast(value), trainer.global_step == trainer.max_steps):
            trainer.save_checkpoint(self.directory / "best.ckpt")

    def _is_best(self, value: float, last: bool) -> bool:
        """Take in the newest evaluation and say whether its step is the best so far."""
        self.recent = [*self.recent, value][-self.settings.plateau :]
        if len(self.recent) < self.settings.plateau and not last:
            return False
        level = sum(self.recent) / len(self.recent)
        if self.best is not None and level <= self.best:
            return False
        self.best = level
        return True

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "recent": self.recent}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.recent = state["best"], state.get("recent", [])
