"""Which clips of a corpus train, choose and judge: by folds, by splits, or drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError

Indices = NDArray[np.int64]

PARTS = ("train", "validation", "test")


def fold_numbers(corpus: Corpus) -> list[int]:
    """The folds of a corpus in order; none where it has none."""
    return sorted(pc.unique(corpus.table["fold"]).drop_null().to_pylist())


def stratified_split(labels: NDArray[np.bool_], share: float, seed: int) -> tuple[Indices, Indices]:
    """Divide clips so that about `share` of each class's clips (at least one of two) go to the second part.

    Clips are taken in a seeded order, each by its rarest label, so that multi-label corpora divide well too.

    Args:
        labels: bool (clips, classes).

    Returns:
        Rising int64 indices of the first and the second part. Clips without a label are in the first.
    """
    rarest, second = _rarest(labels), np.zeros(len(labels), dtype=bool)
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(rarest[order], kind="stable")]
    ends = np.bincount(rarest, minlength=labels.shape[1] + 1)[:-1].cumsum()
    for clips in np.split(order, ends)[:-1]:
        taken = round(share * len(clips))
        second[clips[: max(taken, 1) if len(clips) > 1 else 0]] = True
    return np.flatnonzero(~second), np.flatnonzero(second)


def _rarest(labels: NDArray[np.bool_]) -> Indices:
    """The label of each clip that fewest clips have, the first of equals; the number of classes for none."""
    clip, label = np.nonzero(labels)
    order = np.lexsort((label, labels.sum(axis=0)[label], clip))
    labelled, first = np.unique(clip[order], return_index=True)
    rarest = np.full(len(labels), labels.shape[1])
    rarest[labelled] = label[order][first]
    return rarest


def choose_parts(
    corpus: Corpus, folds: dict[str, list[int]], splits: dict[str, list[str]], validation_share: float, seed: int
) -> tuple[dict[str, Indices], dict[str, str]]:
    """The clips of each part, int64 rows of the corpus, and in words which they are.

    Args:
        folds, splits: By part, "train", "validation" or "test"; both empty for the corpus's own way.
        validation_share: The share of the training clips that is held out as validation clips.
        seed: Draws what is drawn.

    Raises:
        SoundviewsError: both are given, or a share is to be held out that cannot.
    """
    if folds and splits:
        raise SoundviewsError("choose clips by folds or by splits, not by both")
    if not folds and not splits:
        folds, splits = _defaults(corpus)
    if "test" in folds and "train" not in folds:
        used = [fold for part in folds.values() for fold in part]
        rest = [fold for fold in fold_numbers(corpus) if fold not in used]
        folds = folds | ({"train": rest} if rest else {})
    parts, words = _parts(corpus, folds, splits, seed)
    if validation_share:
        _hold_out(corpus, parts, words, validation_share, seed)
    return parts, words


def _defaults(corpus: Corpus) -> tuple[dict[str, list[int]], dict[str, list[str]]]:
    folds = fold_numbers(corpus)
    if len(folds) > 1:
        return {"train": folds[:-1], "test": folds[-1:]}, {}
    names = set(pc.unique(corpus.table["split"]).to_pylist())
    if {"train", "test"} <= names:
        chosen = {"train": ["train"], "test": ["test"]}
        for name in ("validation", "val"):
            if name in names:
                chosen["validation"] = [name]
        return {}, chosen
    return {}, {}


def _parts(
    corpus: Corpus, folds: dict[str, list[int]], splits: dict[str, list[str]], seed: int
) -> tuple[dict[str, Indices], dict[str, str]]:
    if not (folds or splits or corpus.vocabulary):
        return {"test": np.arange(len(corpus))}, {"test": "all of it"}
    if folds:
        parts = {part: _where(corpus, "fold", numbers) for part, numbers in folds.items()}
        return parts, {part: "fold " + ", ".join(map(str, numbers)) for part, numbers in folds.items()}
    if splits:
        parts = {part: _where(corpus, "split", names) for part, names in splits.items()}
        return parts, {part: "split " + ", ".join(names) for part, names in splits.items()}
    train, test = stratified_split(corpus.label_matrix(), 0.2, seed)
    words = {"train": f"a stratified 80 % (seed {seed})", "test": "the other 20 %"}
    return {"train": train, "test": test}, words


def _hold_out(corpus: Corpus, parts: dict[str, Indices], words: dict[str, str], share: float, seed: int) -> None:
    """Make a share of the training clips the validation clips."""
    if "validation" in parts:
        raise SoundviewsError(f"the task has validation clips ({words['validation']}): hold out no share beside them")
    if "train" not in parts:
        raise SoundviewsError("no training clips to hold out a share of")
    train = parts["train"]
    rest, held = stratified_split(corpus.label_matrix()[train], share, seed)
    parts["train"], parts["validation"] = train[rest], train[held]
    words["validation"] = f"a stratified {100 * share:g} % held out from train (seed {seed})"


def _where(corpus: Corpus, column: str, wanted: Sequence[Any]) -> Indices:
    values = corpus.table[column]
    return np.flatnonzero(pc.is_in(values, pa.array(wanted, values.type)).to_numpy())
