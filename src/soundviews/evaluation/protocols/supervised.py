"""Training the whole network on labelled clips: from the bundle's weights (finetune) or from none (scratch)."""

import copy
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from soundviews.audio.loader import evaluation_batches, training_loader
from soundviews.core.errors import SoundviewsError
from soundviews.core.progress import bar
from soundviews.core.randomness import Randomness, hashed_seed
from soundviews.evaluation.classification import (
    Choosing,
    Settings,
    clip_scores,
    judge,
    loss,
    require_clips,
    settings,
    truth_of,
)
from soundviews.evaluation.embeddings import Embeds
from soundviews.evaluation.linear_layer import seeded_linear
from soundviews.evaluation.parts import Indices
from soundviews.evaluation.score import Score, gives, protocols
from soundviews.evaluation.tasks import Task
from soundviews.features.patches import Clips
from soundviews.model import Model

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@protocols.register("finetune", example={"epochs": 1})
@gives()
def finetune(
    model: Embeds,
    task: Task,
    seed: int = 0,
    style: str = "uclser",
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    precision: str = "fp32",
) -> Score:
    """Train encoder and classifier together, starting from the bundle's encoder.

    One random crop of each clip and epoch, no augmentation; batches are full (a last, smaller one is left out).

    Args:
        style: "uclser" (SGD 0.01, momentum 0.9, weight decay 1e-4, batches of 128, 200 epochs, x0.1 after 80 and
            160; mean of the windows' probabilities; the best epoch on the validation clips if there are any,
            else the last), "cola" (Adam 1e-3, batches of 64, 100 epochs, the last epoch; mean of the logits) or
            "acl" (as cola with batches of 128).
        epochs, batch_size, lr: Other values; milestones keep their places in proportion.
        precision: "fp32", or "bf16" for mixed precision.
    """
    chosen = settings(style, epochs=epochs, batch_size=batch_size)
    chosen = replace(chosen, lr=lr or (0.01 if style == "uclser" else chosen.lr))
    return _supervised(_network(model, "finetune"), task, seed, style, chosen, precision)


@protocols.register("scratch", example={"epochs": 1})
@gives(during_training=False)
def scratch(
    model: Embeds,
    task: Task,
    seed: int = 0,
    style: str = "uclser",
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    precision: str = "fp32",
) -> Score:
    """As `finetune` with the same budget, from fresh weights; SGD starts at 0.1 in the style of uclser."""
    chosen = settings(style, epochs=epochs, batch_size=batch_size, lr=lr)
    fresh = _network(model, "scratch").reinitialised(seed)
    return _supervised(fresh, task, seed, style, chosen, precision)


def _network(model: Embeds, protocol: str) -> Model:
    if not isinstance(model, Model):
        raise SoundviewsError(f"{protocol} trains a network, and {model.name} has none")
    return model


def _supervised(model: Model, task: Task, seed: int, style: str, chosen: Settings, precision: str) -> Score:
    require_clips(task, "training the whole network")
    if precision not in PRECISIONS:
        raise SoundviewsError(f"unknown precision {precision!r}: known: {', '.join(PRECISIONS)}")
    model = model.replace(encoder=copy.deepcopy(model.encoder), precision=PRECISIONS[precision])
    model.encoder.train()
    layer = seeded_linear(model.embedding_size, task.classes, seed).to(model.device)
    chosen = replace(chosen, batch_size=min(chosen.batch_size, len(task.train)))
    truth = truth_of(task)

    def scores(clips: Indices) -> tuple[Indices, NDArray[np.float32]]:
        """The readable ones of `clips` and their scores."""
        if not len(clips):
            return clips, np.empty((0, task.classes), dtype=np.float32)
        values, readable = _scores(model, layer, task, clips, chosen, truth.ndim == 1)
        return clips[readable], values[readable]

    best, kept, kept_epoch = -1.0, None, chosen.epochs
    for epoch in _epochs(model, layer, task, chosen, torch.from_numpy(truth), seed):
        if chosen.best_epoch and len(task.validation):
            clips, values = scores(task.validation)
            if (now := judge(task, clips, truth, values).value) > best:
                best, kept_epoch = now, epoch
                kept = [copy.deepcopy(module.state_dict()) for module in (model.encoder, layer)]
    if kept is not None:
        model.encoder.load_state_dict(kept[0])
        layer.load_state_dict(kept[1])
    choosing = None  # one label a clip needs no thresholds
    if truth.ndim == 2:
        choosing = Choosing(*scores(task.validation), chosen.even)
    clips, values = scores(task.test)
    score = judge(task, clips, truth, values, choosing)
    picked = {"epoch": kept_epoch, "chosen by": "validation" if kept else "the last epoch"}
    details = {**score.details, **picked, "style": style, "precision": precision, **asdict(chosen)}
    return replace(score, details=details)


def _epochs(model: Model, layer: nn.Linear, task: Task, chosen: Settings, truth: Tensor, seed: int) -> Any:
    """Train, yielding the number of each finished epoch."""
    corpus = task.corpus.select(task.train)
    labels = truth[torch.from_numpy(task.train)].to(model.device)
    steps = len(corpus) // chosen.batch_size
    loader = training_loader(
        corpus,
        model.sample_rate,
        chosen.batch_size,
        seed=seed,
        start_step=0,
        steps=steps * chosen.epochs,
        workers=task.workers,
        strict=task.strict,
    )
    optimizer, schedule = chosen.build([*model.encoder.parameters(), *layer.parameters()], steps)
    with bar("training the network", steps * chosen.epochs, "steps", task.progress) as advance:
        for step, batch in enumerate(loader, start=1):
            torch.manual_seed(hashed_seed(seed, step, "layers"))  # dropout and stochastic depth
            patches = model.random_patches(
                Clips(batch.samples, batch.lengths), Randomness(seed, step, device=model.device)
            )
            value = loss(layer(model.encode(patches).float()), labels[batch.index.to(model.device)])
            if not torch.isfinite(value):
                raise SoundviewsError(f"the loss became {value.item()} at step {step}: try a smaller lr")
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            optimizer.step()
            schedule.step()
            advance(1)
            if step % steps == 0:
                yield step // steps
                model.encoder.train()
    task.skipped.update((str(item.path), str(item.reason)) for item in loader.dataset.skipped())


def _scores(
    model: Model, layer: nn.Linear, task: Task, clips: Indices, chosen: Settings, single_label: bool
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Scores of `clips`, (n, classes), from all their windows, and which of them were readable, (n,)."""
    skipped: list[Any] = []
    readable = np.zeros(len(clips), dtype=bool)
    logits, owners = [], []
    model.encoder.eval()
    batches = evaluation_batches(
        task.corpus.select(clips),
        model.sample_rate,
        task.batch_size,
        workers=task.workers,
        strict=task.strict,
        skipped=skipped,
    )
    for batch in batches:
        vectors, row, _ = model.embed_clips(Clips(batch.samples, batch.lengths))
        with torch.inference_mode():
            logits.append(layer(vectors.to(model.device)).cpu())
        owners.append(batch.index[row].numpy())
        readable[batch.index.numpy()] = True
    task.skipped.update((str(item.path), str(item.reason)) for item in skipped)
    if not readable.any():
        raise SoundviewsError(f"none of the {len(clips)} clips to judge is readable")
    scores = clip_scores(torch.cat(logits), np.concatenate(owners), len(clips), single_label, chosen.average)
    return scores, readable
