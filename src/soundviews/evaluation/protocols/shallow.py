"""A shallow network on frozen embeddings: ssep's downstream classification (section 4.1)."""

import copy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from soundviews.core.errors import SoundviewsError
from soundviews.core.progress import bar
from soundviews.core.randomness import hashed_seed
from soundviews.evaluation.classification import Choosing, judge
from soundviews.evaluation.embeddings import Embeds
from soundviews.evaluation.parts import Indices
from soundviews.evaluation.score import SEVERAL_LABELS, Score, class_average_precisions, gives, mean, protocols
from soundviews.evaluation.tasks import Task
from soundviews.model import Model

HIDDEN = 512
VALIDATION_SHARE = 0.05
STEPS_A_ROUND = 100  # at least: an epoch of a small corpus is too short to judge the training by
JUDGED_AT_ONCE = 8192  # windows

Rows = NDArray[Any]
"""Indices of windows: uint32 (n,), int64 where there are too many for that."""


@protocols.register("shallow", example={"rounds": 2})
@gives(single_label=SEVERAL_LABELS)  # a sigmoid for each class, whatever the labels
def shallow(
    model: Embeds,
    task: Task,
    seed: int = 0,
    rounds: int = 100,
    patience: int = 10,
    lr: float = 1e-3,
    batch_size: int = 512,
) -> Score:
    """One hidden layer of 512 (ReLU) and a sigmoid for each class on L2-normalised h, binary cross-entropy.

    Every window is an example that carries its clip's labels, because the paper's encoder sees 0.96 s at a time and
    its embeddings are of such snippets; a clip's score is the mean of its windows' probabilities. mAP on the
    validation clips is taken after each round and the best round is kept. Those clips are the task's own if it has
    some, else 5 % of the training clips (at least one), drawn by `seed` and never trained on. A round is one epoch,
    or as many as make 100 steps. Optimiser, rate, batch and length are not in the paper: Adam, stopped when
    `patience` rounds brought nothing better, after `rounds` at the latest.

    Clips may have any number of labels, none included. A class that none or all of the clips of a part have is left
    out of that part's mAP; `details` counts the classes judged. The labels that F1 and precision count are predicted
    by thresholds chosen on the validation clips, also where every clip has one label.
    """
    task.require("shallow", "train", "test")
    task.require_classes("shallow", "train", "test")
    embeddings = task.embed(model)
    train, validation, test = (
        np.sort(part[embeddings.kept[part]]) for part in (task.train, task.validation, task.test)
    )
    rng = np.random.default_rng(hashed_seed("shallow", seed))
    if drawn := not len(validation):
        train, validation = draw_validation(train, rng)
    if not len(train):
        raise SoundviewsError("shallow needs readable training clips: at least one, and one more to validate on")
    labels = np.packbits(task.corpus.label_matrix(), axis=1)
    examples = Examples(embeddings.vectors, embeddings.clip, labels, task.classes)
    device = model.device if isinstance(model, Model) else torch.device("cpu")
    network = shallow_network(examples.vectors.shape[1], task.classes, seed).to(device)
    chosen = _Settings(rounds, patience, lr, batch_size)
    details = _fit(network, examples, train, validation, chosen, rng, task.progress)
    scores = clip_probabilities(network, examples, test)
    choosing = Choosing(validation, clip_probabilities(network, examples, validation))
    score = judge(task, test, task.corpus.label_matrix(), scores, choosing)
    if not score.per_class:
        raise SoundviewsError("shallow needs a class that some readable test clips have and others have not")
    notes = [part["note"] for part in (details, score.details) if "note" in part]
    details |= {**score.details, "note": "; ".join(notes)}
    details |= {
        "validation": "5 % of the training clips" if drawn else "the task's validation clips",
        "validation clips": len(validation),
        "classes judged": len(score.per_class),
        "hidden": HIDDEN,
        "optimizer": "adam",
        **asdict(chosen),
    }
    return replace(score, details=details)


@dataclass(frozen=True)
class Examples:
    """Windows' embeddings and their clips' labels, brought into memory a batch at a time.

    vectors: float32 (windows, dim), such as a memory map.
    clip: int64 (windows,), each window's clip.
    labels: uint8 (clips, ceil(classes / 8)), `np.packbits` of the bool (clips, classes).
    """

    vectors: NDArray[np.float32]
    clip: NDArray[np.int64]
    labels: NDArray[np.uint8]
    classes: int

    def rows(self, clips: Indices) -> Rows:
        """The windows of these clips, rising."""
        wanted = np.zeros(len(self.labels), dtype=bool)
        wanted[clips] = True
        rows = np.flatnonzero(wanted[self.clip])
        return rows.astype(np.uint32) if len(self.clip) <= 2**32 else rows

    def inputs(self, rows: Rows) -> Tensor:
        """L2-normalised embeddings, (rows, dim); a zero vector stays one."""
        vectors = torch.from_numpy(self.vectors[rows])
        if not vectors.isfinite().all():
            raise SoundviewsError("some embeddings are NaN or infinite")
        return nn.functional.normalize(vectors, dim=1)

    def targets(self, rows: Rows) -> Tensor:
        """Zeros and ones, float32 (rows, classes)."""
        return torch.from_numpy(self.truth(self.clip[rows])).float()

    def truth(self, clips: Indices) -> NDArray[np.bool_]:
        """bool (clips, classes)."""
        return np.unpackbits(self.labels[clips], axis=1, count=self.classes).view(bool)


def draw_validation(train: Indices, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """Training clips without the 5 % (at least one) that validate, and those, both rising."""
    order = rng.permutation(train)
    taken = max(1, round(VALIDATION_SHARE * len(train)))
    return np.sort(order[taken:]), np.sort(order[:taken])


def shallow_network(inputs: int, classes: int, seed: int) -> nn.Sequential:
    """(n, inputs) to logits (n, classes), PyTorch's default initialisation drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(hashed_seed("shallow network", seed))
        return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, classes))


def train_epoch(
    network: nn.Module, optimizer: torch.optim.Optimizer, examples: Examples, rows: Rows, batch_size: int
) -> None:
    """One step for each `batch_size` of `rows`, in their order."""
    device = next(network.parameters()).device
    for first in range(0, len(rows), batch_size):
        batch = np.sort(rows[first : first + batch_size])  # so that a memory map is read in one direction
        logits = network(examples.inputs(batch).to(device))
        loss = nn.functional.binary_cross_entropy_with_logits(logits, examples.targets(batch).to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def clip_probabilities(network: nn.Module, examples: Examples, clips: Indices) -> NDArray[np.float32]:
    """Mean of each clip's windows' probabilities, (clips, classes), for rising `clips`."""
    device, rows = next(network.parameters()).device, examples.rows(clips)
    total = torch.zeros(len(clips), examples.classes)
    owner = torch.from_numpy(np.searchsorted(clips, examples.clip[rows]))
    for first in range(0, len(rows), JUDGED_AT_ONCE):
        block = slice(first, first + JUDGED_AT_ONCE)
        total.index_add_(0, owner[block], network(examples.inputs(rows[block]).to(device)).sigmoid().cpu())
    count = torch.bincount(owner, minlength=len(clips)).clamp(min=1)
    return (total / count[:, None]).numpy()


def average_precisions(network: nn.Module, examples: Examples, clips: Indices) -> NDArray[np.float64]:
    """Average precision of each class among these clips, (classes,); NaN where none or all of them have it."""
    clips = np.sort(clips)
    return class_average_precisions(examples.truth(clips), clip_probabilities(network, examples, clips))


@dataclass(frozen=True)
class _Settings:
    rounds: int
    patience: int
    lr: float
    batch_size: int


def _fit(
    network: nn.Module,
    examples: Examples,
    train: Indices,
    validation: Indices,
    chosen: _Settings,
    rng: np.random.Generator,
    progress: bool,
) -> dict[str, Any]:
    """Train, leave the best round's weights in the network, and say which that was."""
    optimizer = torch.optim.Adam(network.parameters(), lr=chosen.lr)
    rows = examples.rows(train)
    epochs = -(-STEPS_A_ROUND // -(-len(rows) // chosen.batch_size))  # of a round
    best, kept, best_round, judged = -1.0, None, chosen.rounds, 0
    with bar("shallow", chosen.rounds, "rounds", progress) as advance:
        for number in range(1, chosen.rounds + 1):
            for _ in range(epochs):
                rng.shuffle(rows)
                train_epoch(network, optimizer, examples, rows, chosen.batch_size)
            precisions = average_precisions(network, examples, validation)
            judged = int(np.isfinite(precisions).sum())
            if (now := mean(precisions)) > best:
                best, kept, best_round = now, copy.deepcopy(network.state_dict()), number
            advance(1)
            if kept is not None and number - best_round >= chosen.patience:
                break
    details: dict[str, Any] = {"epoch": best_round * epochs, "round": best_round, "validation classes": judged}
    if kept is None:
        return details | {"chosen by": "the last round", "note": "no mAP of the validation clips to choose by"}
    network.load_state_dict(kept)
    return details | {"chosen by": "validation mAP", "validation mAP": best}
