"""Linear classifiers on frozen embeddings, as uclser, cola and acl train them, and a plain logistic regression."""

import warnings
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from soundviews.core.errors import SoundviewsError
from soundviews.core.extras import naming_extras
from soundviews.core.progress import bar
from soundviews.core.randomness import hashed_seed
from soundviews.evaluation.baselines import LogMelPatches, LogMelStatistics
from soundviews.evaluation.classification import (
    Choosing,
    Settings,
    clip_scores,
    judge,
    require_clips,
    settings,
    truth_of,
)
from soundviews.evaluation.embeddings import CorpusEmbeddings, Embeds, chosen_pool
from soundviews.evaluation.linear_layer import LinearClassifier, seeded_linear
from soundviews.evaluation.parts import Indices
from soundviews.evaluation.score import Score, gives, protocols
from soundviews.evaluation.tasks import Task
from soundviews.model import Model
from soundviews.model.pooling import Pool, WindowPool

LOGISTIC_C = 0.1


@protocols.register("linear", example={"epochs": 2})
@gives()
def linear(
    model: Embeds,
    task: Task,
    seed: int = 0,
    style: str = "uclser",
    epochs: int | None = None,
    standardize: bool | None = None,
    pool: Pool = "auto",
) -> Score:
    """A linear classifier on h; the encoder is frozen and in evaluation mode.

    Embeddings are computed once: where the papers draw a random crop of each clip and epoch, a random window of a
    dense grid (windows that overlap by half) is drawn. uclser's original also let batch normalisation see each
    batch's statistics and update its own; here a frozen encoder stays as it is.

    Args:
        style: "uclser" (SGD 0.1, momentum 0.9, weight decay 1e-4, batches of 128, 200 epochs, x0.1 after 80 and
            160; mean of the windows' probabilities; the best epoch on the validation clips if there are any, else
            the last), "cola" (Adam 1e-3, batches of 64, 100 epochs, the last epoch; mean of the logits), "acl" (as
            cola with batches of 128), or "logistic" (L2-regularised logistic regression, C = 0.1, on one vector for
            each clip, standardised).
        epochs: Another number of epochs; milestones keep their places in proportion.
        standardize: Whether to standardise h with the training clips' mean and deviation. The papers do not;
            default: only for log-mel statistics and patches, on which these learning rates diverge otherwise.
        pool: Of the style "logistic": how the embeddings of a clip's windows become one vector: "mean", "loudness"
            (windows weighted by their power to the 0.3), "max" or "mean+max+std"; "auto" is what the bundle says, else
            the mean.
    """
    require_clips(task, "linear")
    if style == "logistic":
        return _logistic(model, task, chosen_pool(model, pool))
    if pool != "auto":
        raise SoundviewsError(f"linear: style={style} learns from windows, so pool={pool} is for style=logistic")
    chosen = settings(style, epochs=epochs)
    if standardize is None:
        standardize = isinstance(model, LogMelStatistics | LogMelPatches)
    embeddings, truth = task.embed(model), truth_of(task)
    require_clips(task, "linear", embeddings.kept)
    validation, test = (part[embeddings.kept[part]] for part in (task.validation, task.test))
    windows = _training_windows(model, task, embeddings, standardize)
    classifier, details = _train(task, windows, embeddings, chosen, seed, validation)
    choosing = Choosing(validation, _scores(classifier, embeddings, validation, chosen, truth.ndim == 1), chosen.even)
    score = judge(task, test, truth, _scores(classifier, embeddings, test, chosen, truth.ndim == 1), choosing)
    details |= {"style": style, "standardized": standardize, **asdict(chosen)}
    return replace(score, details=score.details | details)


@dataclass(frozen=True)
class _Windows:
    """What training draws from.

    vectors: float32 (windows, dim) of all windows. first, count: int64 (clips,), where each readable training clip's
    windows are. truth: its label or labels. scaling: mean and deviation (dim,) each that inputs are standardised
    with, or None.
    """

    vectors: Tensor
    first: Tensor
    count: Tensor
    truth: Tensor
    scaling: tuple[Tensor, Tensor] | None

    def draw(self, generator: torch.Generator) -> Tensor:
        """One window of each clip at random, int64 (clips,)."""
        number = (torch.rand(len(self.first), generator=generator) * self.count).long()
        return self.first + number.clamp(max=self.count - 1)


def _training_windows(model: Embeds, task: Task, at_test: CorpusEmbeddings, standardize: bool) -> _Windows:
    """The model's own windows where they overlap by half, else a grid that does, over the training clips only."""
    dense, embeddings, clips = _densely(model), at_test, task.train
    if dense is not model:
        clips = np.arange(len(task.train))
        embeddings = replace(task, corpus=task.corpus.select(task.train)).embed(dense)
    kept = embeddings.kept[clips]
    first, count = (torch.from_numpy(part[clips[kept]]) for part in embeddings.spans())
    vectors, truth = torch.from_numpy(embeddings.vectors), torch.from_numpy(truth_of(task)[task.train[kept]])
    scaling = None
    if standardize:
        rows, _ = embeddings.windows(clips[kept])
        deviation, mean = torch.std_mean(vectors[torch.from_numpy(rows)], dim=0, correction=0)
        scaling = mean, torch.where(deviation > 0, deviation, 1.0)  # a constant dimension keeps its scale
    return _Windows(vectors, first, count, truth, scaling)


def _train(
    task: Task, train: _Windows, at_test: CorpusEmbeddings, chosen: Settings, seed: int, validation: Indices
) -> tuple[LinearClassifier, dict[str, Any]]:
    """The last epoch's classifier, or the best on `validation`."""
    generator = torch.Generator().manual_seed(hashed_seed("linear", seed))
    classifier = LinearClassifier(seeded_linear(train.vectors.shape[1], task.classes, seed), train.scaling)
    steps = -(-len(train.first) // chosen.batch_size)
    optimizer, schedule = chosen.build(classifier.layer.parameters(), steps, fused=True)
    truth = truth_of(task)
    best, kept, kept_epoch = -1.0, None, chosen.epochs
    with bar("linear", chosen.epochs, "epochs", task.progress) as advance:
        for epoch in range(1, chosen.epochs + 1):
            order = torch.randperm(len(train.first), generator=generator)
            windows = train.draw(generator)[order]
            classifier.train_epoch(optimizer, schedule, train.vectors, windows, train.truth[order], chosen.batch_size)
            if chosen.best_epoch and len(validation):
                scores = _scores(classifier, at_test, validation, chosen, truth.ndim == 1)
                if (now := judge(task, validation, truth, scores).value) > best:
                    best, kept, kept_epoch = now, classifier.copy(), epoch
            advance(1)
    chosen_classifier = kept or classifier
    if not torch.isfinite(chosen_classifier.layer.weight).all():
        raise SoundviewsError("linear: the weights became NaN or infinite; standardize=true may help")
    return chosen_classifier, {"epoch": kept_epoch, "chosen by": "validation" if kept else "the last epoch"}


def _scores(
    classifier: LinearClassifier, embeddings: CorpusEmbeddings, clips: Indices, chosen: Settings, single_label: bool
) -> NDArray[np.float32]:
    """The scores of these clips, (clips, classes), from all their windows."""
    if not len(clips):
        return np.empty((0, classifier.layer.out_features), dtype=np.float32)
    rows, owner = embeddings.windows(clips)
    vectors = torch.from_numpy(embeddings.vectors)
    logits = torch.cat([classifier.logits(vectors[part]) for part in torch.from_numpy(rows).split(65536)])
    return clip_scores(logits, owner, len(clips), single_label, chosen.average)


def _logistic(model: Embeds, task: Task, pool: WindowPool) -> Score:
    with naming_extras():
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.preprocessing import StandardScaler

    embeddings, truth = task.embed(model), truth_of(task)
    require_clips(task, "linear", embeddings.kept)
    vectors = embeddings.clip_vectors(pool)
    train, validation, test = (part[embeddings.kept[part]] for part in (task.train, task.validation, task.test))
    scaler = StandardScaler().fit(vectors[train])
    classifier: Any = LogisticRegression(C=LOGISTIC_C, max_iter=2000)
    if truth.ndim == 2:
        classifier = OneVsRestClassifier(classifier)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Label .* is present in all|.*not .* present")
        classifier.fit(scaler.transform(vectors[train]), truth[train])
    known = classifier.classes_.astype(int) if truth.ndim == 1 else np.arange(task.classes)

    def scores(clips: Indices) -> NDArray[np.float32]:
        probabilities = np.zeros((len(clips), task.classes), dtype=np.float32)
        if len(clips):
            probabilities[:, known] = classifier.predict_proba(scaler.transform(vectors[clips]))
        return probabilities

    score = judge(task, test, truth, scores(test), Choosing(validation, scores(validation)))
    details = {**score.details, "style": "logistic", "pool": pool, "C": LOGISTIC_C, "standardized": True}
    return replace(score, details=details, deterministic=True)


def _densely(model: Embeds) -> Embeds:
    """The model with windows that overlap by half and none padded; itself if its windows do already."""
    if not isinstance(model, Model):
        return model
    windows = model.config.windows
    if windows.tail == "drop" and 2 * windows.hop <= windows.size:
        return model
    return model.replace(windows=windows.model_copy(update={"hop": windows.size // 2, "tail": "drop"}))
