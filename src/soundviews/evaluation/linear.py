"""Linear classifiers on frozen embeddings, as uclser and cola train them, and a plain logistic regression."""

import copy
import warnings
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from soundviews.errors import SoundviewsError
from soundviews.evaluation.classification import Settings, clip_scores, judge, loss, settings, truth_of
from soundviews.evaluation.embeddings import CorpusEmbeddings, Embeds
from soundviews.evaluation.progress import bar
from soundviews.evaluation.score import Score, protocols
from soundviews.evaluation.tasks import Indices, Task
from soundviews.model import LogMelStatistics, Model
from soundviews.randomness import hashed_seed

LOGISTIC_C = 0.1


@protocols.register("linear")
def linear(
    model: Embeds,
    task: Task,
    seed: int = 0,
    style: str = "uclser",
    epochs: int | None = None,
    standardize: bool | None = None,
) -> Score:
    """A linear classifier on h; the encoder is frozen and in evaluation mode.

    Embeddings are computed once: where the papers draw a random crop of each clip and epoch, a random window of a
    dense grid (windows that overlap by half) is drawn. uclser's original also let batch normalisation see each
    batch's statistics and update its own; here a frozen encoder stays as it is.

    Args:
        style: "uclser" (SGD 0.1, momentum 0.9, weight decay 1e-4, batches of 128, 200 epochs, x0.1 after 80 and
            160; mean of the windows' probabilities; the best epoch on the validation clips if there are any, else
            the last), "cola" (Adam 1e-3, batches of 64, 100 epochs, the last epoch; mean of the logits), or
            "logistic" (L2-regularised logistic regression, C = 0.1, on each clip's mean, standardised).
        epochs: Another number of epochs; milestones keep their places in proportion.
        standardize: Whether to standardise h with the training clips' mean and deviation. The papers do not;
            default: only for the log-mel statistics, on which these learning rates diverge otherwise.
    """
    task.require("linear", "train", "test")
    if style == "logistic":
        return _logistic(model, task)
    chosen = settings(style, epochs=epochs)
    if standardize is None:
        standardize = isinstance(model, LogMelStatistics)
    at_test = task.embed(model)
    grid = _training_windows(model, task, at_test)
    fitting = grid.standardized() if standardize else grid
    validation = task.validation[at_test.kept[task.validation]] if style == "uclser" else task.validation[:0]
    scores, details = _train(task, fitting, at_test, chosen, seed, validation)
    test = task.test[at_test.kept[task.test]]
    score = judge(task, test, truth_of(task), scores[test])
    details |= {"style": style, "standardized": standardize, **asdict(chosen)}
    return replace(score, details=details)


@dataclass(frozen=True)
class _TrainingWindows:
    """vectors: float32 (windows, dim) of all windows. first, count: int64 (clips,), where each readable training
    clip's windows are. truth: its label or labels. mean, deviation: what inputs are standardised with."""

    vectors: Tensor
    first: Tensor
    count: Tensor
    truth: Tensor
    mean: Tensor | float = 0.0
    deviation: Tensor | float = 1.0

    def standardized(self) -> "_TrainingWindows":
        """Inputs standardised over the training windows; a constant dimension keeps its scale."""
        rows = torch.repeat_interleave(self.first, self.count)
        rows += torch.arange(len(rows)) - torch.repeat_interleave(self.count.cumsum(0) - self.count, self.count)
        deviation, mean = torch.std_mean(self.vectors[rows], dim=0, correction=0)
        return replace(self, mean=mean, deviation=torch.where(deviation > 0, deviation, 1.0))


def _training_windows(model: Embeds, task: Task, at_test: CorpusEmbeddings) -> _TrainingWindows:
    """The embeddings that training draws from: the model's own windows where they overlap by half, else a grid
    that does, over the training clips only."""
    dense, embeddings, clips = _densely(model), at_test, task.train
    if dense is not model:
        clips = np.arange(len(task.train))
        embeddings = replace(task, corpus=task.corpus.select(task.train)).embed(dense)
    kept = embeddings.kept[clips]
    first, count = (torch.from_numpy(part[clips[kept]]) for part in embeddings.spans())
    truth = torch.from_numpy(truth_of(task)[task.train[kept]])
    return _TrainingWindows(torch.from_numpy(embeddings.vectors), first, count, truth)


def _train(
    task: Task,
    train: _TrainingWindows,
    at_test: CorpusEmbeddings,
    chosen: Settings,
    seed: int,
    validation: Indices,
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Scores of all clips, (clips, classes), by the last epoch's classifier or the best on `validation`."""
    generator = torch.Generator().manual_seed(hashed_seed("linear", seed))
    layer = seeded_linear(train.vectors.shape[1], task.classes, seed)
    optimizer, schedule = chosen.build(layer.parameters(), -(-len(train.first) // chosen.batch_size))
    truth, judged = truth_of(task), torch.from_numpy(at_test.vectors)

    def logits(vectors: Tensor) -> Tensor:
        return layer((vectors - train.mean) / train.deviation)

    def scores() -> NDArray[np.float32]:
        with torch.no_grad():
            found = torch.cat([logits(part) for part in judged.split(65536)])
        return clip_scores(found, at_test.clip, len(at_test.kept), truth.ndim == 1, chosen.average)

    best, kept, kept_epoch = -1.0, None, chosen.epochs
    with bar("linear", chosen.epochs, "epochs", task.progress) as advance:
        for epoch in range(1, chosen.epochs + 1):
            order = torch.randperm(len(train.first), generator=generator)
            draw = (torch.rand(len(order), generator=generator) * train.count).long()
            windows = train.first + draw.clamp(max=train.count - 1)
            for batch in order.split(chosen.batch_size):
                value = loss(logits(train.vectors[windows[batch]]), train.truth[batch])
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
                schedule.step()
            if len(validation):
                found = scores()
                if (now := judge(task, validation, truth, found[validation]).value) > best:
                    best, kept, kept_epoch = now, found, epoch
            advance(1)
    details = {"epoch": kept_epoch, "chosen by": "validation" if len(validation) else "the last epoch"}
    return kept if kept is not None else scores(), details


def _logistic(model: Embeds, task: Task) -> Score:
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import StandardScaler

    embeddings, truth = task.embed(model), truth_of(task)
    means = embeddings.clip_means()
    train, test = (part[embeddings.kept[part]] for part in (task.train, task.test))
    scaler = StandardScaler().fit(means[train])
    classifier: Any = LogisticRegression(C=LOGISTIC_C, max_iter=2000)
    if truth.ndim == 2:
        classifier = OneVsRestClassifier(classifier)
    elif len(np.unique(truth[train])) < 2:
        raise SoundviewsError("linear needs training clips of at least two classes")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Label .* is present in all|.*not .* present")
        classifier.fit(scaler.transform(means[train]), truth[train])
    scores = np.full((len(test), task.classes), -np.inf, dtype=np.float32)
    known = classifier.classes_.astype(int) if truth.ndim == 1 else np.arange(task.classes)
    scores[:, known] = classifier.predict_proba(scaler.transform(means[test]))
    details = {"style": "logistic", "C": LOGISTIC_C, "standardized": True}
    return replace(judge(task, test, truth, scores), details=details, deterministic=True)


def seeded_linear(inputs: int, outputs: int, seed: int) -> nn.Linear:
    """A linear layer with PyTorch's default initialisation drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(hashed_seed("linear layer", seed))
        return nn.Linear(inputs, outputs)


def _densely(model: Embeds) -> Embeds:
    """The model with windows that overlap by half and none padded; itself if its windows do already."""
    if not isinstance(model, Model):
        return model
    windows = model.config.windows
    if windows.tail == "drop" and 2 * windows.hop <= windows.size:
        return model
    dense = copy.copy(model)
    grid = windows.model_copy(update={"hop": windows.size // 2, "tail": "drop"})
    dense.config = model.config.model_copy(update={"windows": grid})
    dense.fingerprint = model.fingerprint and f"{model.fingerprint}-dense"
    return dense
