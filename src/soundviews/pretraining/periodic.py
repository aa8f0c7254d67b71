"""Judging while training: a protocol on a labelled corpus every so many steps."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch

from soundviews.core.components import naming_uses
from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import nearest
from soundviews.datasets.opening import Data, open_corpus
from soundviews.evaluation.requests import Request, read_requests
from soundviews.evaluation.score import gives_of, protocols
from soundviews.evaluation.tasks import Task, open_tasks
from soundviews.recipes.schema import Evaluation, Recipe

from .export import model_of
from .module import Pretraining
from .settings import RunSettings


def require_judgement(recipe: Recipe) -> None:
    """Refuse an evaluation that cannot be made in a run, before anything is read.

    Raises:
        SoundviewsError: there is no such protocol or metric, or it does not judge the encoder that is being trained.
    """
    if recipe.evaluation is None:
        return
    metric = recipe.evaluation.metric
    with naming_uses(recipe.uses, f"recipe {recipe.name!r}"):
        name, _ = _request(recipe.evaluation)
        gives = gives_of(protocols.get(name))
    if gives is None:  # a protocol from outside that does not say
        return
    if not gives.during_training:
        raise SoundviewsError(
            f"evaluation.protocol {name!r} does not judge the encoder that a run trains: choose knn, qbe or linear"
        )
    if metric not in (known := dict.fromkeys((*gives.single_label, *gives.several_labels))):
        raise SoundviewsError(f"evaluation.metric: {name} has no metric {metric!r}: {nearest(metric, known)}")


def judging_task(recipe: Recipe, settings: RunSettings, data: Data | None) -> Task | None:
    """The task of a run's periodic evaluation, None where the recipe or the run asks for none.

    Args:
        data: What `settings.evaluation_data` names.
    """
    if recipe.evaluation is None or data is None:
        return None
    corpus = open_corpus(data)
    folds, splits = settings.evaluation_folds, settings.evaluation_splits
    if folds or splits:
        corpus = corpus.where(folds, splits)
    if not corpus.vocabulary or not len(corpus):
        parts = f" in folds {folds}" * bool(folds) + f" in splits {splits}" * bool(splits)
        raise SoundviewsError(f"{settings.evaluation_data} has no labelled clips{parts} to judge by")
    name, metric = _request(recipe.evaluation)[0], recipe.evaluation.metric
    gives = gives_of(protocols.get(name))
    if gives is not None and metric not in (gives.single_label if corpus.single_label else gives.several_labels):
        kind = "one label each" if corpus.single_label else "several labels or none"
        raise SoundviewsError(
            f"evaluation.metric: {name} gives no {metric} of {settings.evaluation_data}, whose clips have {kind}"
        )
    if gives is not None and not gives.trains:  # all clips are judged
        none = np.empty(0, dtype=np.int64)
        return Task(corpus, none, none, np.arange(len(corpus)), "all clips")
    return open_tasks(corpus)[0]


def _request(evaluation: Evaluation) -> Request:
    """The protocol and its options.

    Raises:
        SoundviewsError: there is no such protocol or option.
    """
    return read_requests(evaluation.protocol)[0]


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
                protocol, options = _request(self.settings)
                score = protocols.get(protocol)(model_of(module), self.task, module.recipe.training.seed, **options)
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
