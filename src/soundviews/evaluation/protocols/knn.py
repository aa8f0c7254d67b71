"""Clip-exclusive nearest neighbours (uclser, section 4; the released program's rules)."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.embeddings import Embeds
from soundviews.evaluation.f1 import counts, f1_metrics
from soundviews.evaluation.score import Judged, Score, class_accuracies, gives, mean, protocols
from soundviews.evaluation.tasks import Task

NEIGHBOURS = 200  # the paper's k
RELEASED = "labels as the released program reads them: those of neighbours behind the clip are of earlier patches"
BLOCK = 8_000_000  # similarities held at once; 16 bytes each with what the search for the largest needs


class KnnResult(NamedTuple):
    """patches: class voted for each patch, int64 (patches,). clips: for each clip, int64 (clips,); -1 without
    patches. shares: of the clip's patches that voted for each class, float32 (clips, classes)."""

    patches: NDArray[np.int64]
    clips: NDArray[np.int64]
    shares: NDArray[np.float32]


def knn_predict(
    vectors: ArrayLike,
    clip: ArrayLike,
    targets: ArrayLike,
    k: int = NEIGHBOURS,
    device: str | torch.device = "cpu",
    as_released: bool = False,
) -> KnnResult:
    """Classify every clip by the others.

    Each patch takes the majority of the labels of its k most similar patches (cosine, unweighted) among those of
    other clips; each clip takes the majority of its patches. Ties go to the smallest class.

    Args:
        vectors: (patches, dim), finite.
        clip: int (patches,), the clip of each patch, 0 .. clips - 1.
        targets: int (clips,), the class of each clip.
        k: Neighbours; all patches of other clips vote where there are fewer.
        as_released: Read the labels as the authors' released program does, whose figures are the paper's: it numbers
            the patches of the other clips anew, without those of the clip, and looks the numbers up in the list of
            all. So a neighbour behind the clip votes for the label of a patch before it, as many places earlier as
            the clip has patches.
    """
    x = torch.nn.functional.normalize(torch.as_tensor(np.asarray(vectors, dtype=np.float32)).to(device), dim=1)
    owner, target = torch.as_tensor(np.asarray(clip)).to(device), torch.as_tensor(np.asarray(targets)).to(device)
    if not torch.isfinite(x).all():
        raise SoundviewsError("some embeddings are NaN or infinite")
    labels, classes = target[owner], int(target.max()) + 1
    votes = np.empty(len(x), dtype=np.int64)
    rows = max(1, BLOCK // max(len(x), 1))
    for first in range(0, len(x), rows):
        block = slice(first, first + rows)
        similarity = x[block] @ x.T
        same_clip = owner[block, None] == owner[None]
        similarity[same_clip] = -torch.inf
        nearest = similarity.topk(min(k, len(x)), dim=1, sorted=False)
        read = nearest.indices
        if as_released:
            read = read - same_clip.cumsum(1, dtype=torch.int32).gather(1, read)
        ballots = torch.zeros(len(nearest.values), classes, device=device)
        ballots.scatter_add_(1, labels[read], nearest.values.isfinite().float())
        votes[block] = ballots.cpu().numpy().argmax(axis=1)  # numpy's is the first of equals
    shares = np.zeros((len(target), classes), dtype=np.float32)  # counts are exact up to 16 million patches a clip
    np.add.at(shares, (owner.cpu().numpy(), votes), 1)
    count = np.bincount(owner.cpu().numpy(), minlength=len(target))
    by_clip = np.where(count > 0, shares.argmax(axis=1), -1)
    shares /= np.maximum(count, 1)[:, None].astype(np.float32)
    return KnnResult(votes, by_clip, shares)


def fitted_neighbours(patches: int, clips: int, classes: int) -> int:
    """The paper's k, or fewer: the patches that a class has on average beside those of the clip that is classified.

    With more, most neighbours are of other classes however good the embeddings are.
    """
    return max(1, min(NEIGHBOURS, int(patches / classes - patches / clips)))


@protocols.register("knn")
@gives(several_labels=(), trains=False)
def knn(
    model: Embeds,
    task: Task,
    seed: int = 0,
    k: int | None = None,
    space: str | None = None,
    as_released: bool = False,
) -> Score:
    """Mean per-class accuracy of nearest neighbours among the test clips. Trains nothing.

    Args:
        k: Neighbours; by default 200 as in the paper, or as many as `fitted_neighbours` says of a small corpus.
        space: "z" as in the paper (default where the bundle has its head), or "h".
        as_released: Read neighbours' labels as the paper's released program does, wrongly; see `knn_predict`.
    """
    task.require("knn", "test", single_label=True)
    task.require_classes("knn", "test")
    space = space or ("z" if model.head is not None else "h")
    embeddings = task.embed(model, space)
    task.require_classes("knn", "test", kept=embeddings.kept)
    number = np.full(len(task.corpus), -1)
    test = task.test[embeddings.kept[task.test]]
    number[test] = np.arange(len(test))
    chosen = np.flatnonzero(number[embeddings.clip] >= 0)
    targets = task.corpus.targets()[test]
    classes = len(np.unique(targets))
    neighbours = fitted_neighbours(len(chosen), len(test), classes) if k is None else k
    vectors, owner = embeddings.vectors[chosen], number[embeddings.clip[chosen]]
    result = knn_predict(vectors, owner, targets, neighbours, as_released=as_released)
    beyond = task.classes - result.shares.shape[1]  # the last classes, where no test clip has them
    scores = np.pad(result.shares, ((0, 0), (0, beyond))) if beyond else result.shares
    judged = Judged(test, targets, scores, result.clips)
    per_class = class_accuracies(targets, result.clips, task.classes)
    metrics = {"accuracy": mean(per_class), "clip_accuracy": float((targets == result.clips).mean())}
    details = {"k": neighbours, "space": space, "clips": len(test), "patches": len(chosen)}
    notes = [_note(k, neighbours, len(chosen) / classes), RELEASED if as_released else ""]
    if any(notes):
        details["note"] = "; ".join(filter(None, notes))
    return Score(
        metrics=metrics | f1_metrics(counts(judged)),
        per_class=task.by_class(per_class),
        details=details,
        deterministic=True,
        judged=judged,
    )


def _note(k: int | None, neighbours: int, each: float) -> str:
    """What a reader must know of k, where a class has `each` patches on average; empty where it is the paper's."""
    if k is not None:
        return f"k = {k} is more than the {each:.0f} patches that a class has on average" if k > each else ""
    if neighbours == NEIGHBOURS:
        return ""
    return f"k = {neighbours} instead of {NEIGHBOURS}: a class has {each:.0f} patches on average, the clip's among them"
