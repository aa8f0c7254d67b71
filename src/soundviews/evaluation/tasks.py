"""A task: which labelled clips train, which choose, which judge."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.embeddings import CorpusEmbeddings, Embeds, embed_corpus

Indices = NDArray[np.int64]


@dataclass
class Task:
    """A labelled corpus and its parts.

    train, validation, test: int64 indices into `corpus`; those a protocol does not need may be empty.
    description: How the parts came about, for the result.
    cache: Directory for embeddings, or None to keep none. workers, batch_size, strict, progress: how the audio is
        read.
    skipped: path and reason of every clip that could not be read so far.
    """

    corpus: Corpus
    train: Indices
    validation: Indices
    test: Indices
    description: str = ""
    cache: Path | None = None
    workers: int = 0
    batch_size: int = 16
    strict: bool = False
    progress: bool = False
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        return len(self.corpus.vocabulary)

    def embed(self, model: Embeds, space: str = "h") -> CorpusEmbeddings:
        """Embeddings of all clips of the task, computed at the first call."""
        result = embed_corpus(
            model,
            self.corpus,
            space=space,
            cache=self.cache,
            batch_size=self.batch_size,
            workers=self.workers,
            progress=self.progress,
            strict=self.strict,
        )
        self.skipped.update(result.skipped)
        return result

    def require(self, protocol: str, *parts: str, single_label: bool = False) -> None:
        """Raise a SoundviewsError if the task lacks what `protocol` needs."""
        for part in parts:
            if not len(getattr(self, part)):
                options = f"--{part}-folds or --{part}-split"
                raise SoundviewsError(f"{protocol} needs {part} clips and the task has none: give {options}")
        if single_label and not self.corpus.single_label:
            raise SoundviewsError(
                f"{protocol} needs clips with exactly one label each, and these have several: use linear or qbe"
            )

    def require_classes(self, protocol: str, *parts: str, kept: NDArray[np.bool_] | None = None) -> None:
        """Raise a SoundviewsError for a part whose clips all have the same labels: nothing tells them apart.

        Args:
            kept: bool (clips,), which clips of the task could be read, once that is known; the others do not count.
        """
        labels = self.corpus.label_matrix()
        for part in parts:
            clips = getattr(self, part)
            own = labels[clips if kept is None else clips[kept[clips]]]
            if len(clips) and not len(own):
                raise SoundviewsError(f"{protocol}: none of the {len(clips)} {part} clips is readable")
            if not (own.any(axis=0) & ~own.all(axis=0)).any():
                same = f"{part} clips have the same label: {self.names(own.all(axis=0)) or 'none'}"
                raise SoundviewsError(f"{protocol} needs at least two classes, and all {len(own)} {same}")

    def by_class(self, values: NDArray[np.float64]) -> dict[str, float]:
        """Values (classes,) by class name, without the NaN of classes that could not be judged."""
        return {
            name: float(value) for name, value in zip(self.corpus.vocabulary, values, strict=True) if np.isfinite(value)
        }

    def names(self, chosen: NDArray[np.bool_]) -> str:
        """The names of these classes (classes,), the first twenty and how many more; empty for none."""
        places = np.flatnonzero(chosen)
        more = f" and {len(places) - 20} more" if len(places) > 20 else ""
        return ", ".join(self.corpus.vocabulary[place] for place in places[:20]) + more

    def notes(self) -> list[str]:
        """What a reader of the result must know about the clips."""
        labels, found = self.corpus.label_matrix(), []
        if self.skipped:  # a class whose clips could not be read has none
            paths = self.corpus.table["path"].to_pylist()
            labels[[os.path.join(self.corpus.root, path) in self.skipped for path in paths]] = False
        for part, so in (("train", "nothing can learn them"), ("test", "nothing is said of them")):
            indices = getattr(self, part)
            if len(indices) and (empty := self.names(~labels[indices].any(axis=0))):
                found.append(f"classes without {part} clips ({so}): {empty}")
        if self.skipped:
            found.append(f"{len(self.skipped)} unreadable clips were left out")
        return found


def make_task(
    corpus: Corpus,
    train_folds: Sequence[int] | None = None,
    validation_folds: Sequence[int] | None = None,
    test_folds: Sequence[int] | None = None,
    train_split: str | None = None,
    validation_split: str | None = None,
    test_split: str | None = None,
    validation_share: float = 0.0,
    seed: int = 0,
    labelled: bool = True,
    **reading: Any,
) -> Task:
    """Choose the clips of a task by folds or by splits.

    When neither is given: a corpus with folds is tested on its last and trained on the others; one with splits
    "train" and "test" (and "validation" or "val") uses them; any other is divided 80/20, stratified and seeded.
    If only the test part is named and the corpus has folds, the other folds train.

    Args:
        validation_share: Where no validation part is named: hold out this share of the training clips, stratified
            and drawn by `seed`.
        labelled: Whether labels are needed. Without them, and where neither folds nor splits are given, all clips of
            a corpus that has none are test clips.
        reading: Fields of Task: cache, workers, batch_size, strict, progress.

    Raises:
        SoundviewsError: no labels where they are needed, an empty selection, or parts that share clips.
    """
    if labelled and not corpus.vocabulary:
        raise SoundviewsError(
            "the corpus has no labels, so there is nothing to judge by: a folder needs two or more sub-folders, "
            "one a class; a manifest a column label. The protocol invariance alone needs none"
        )
    folds, splits = {}, {}
    for part, fold, split in (
        ("train", train_folds, train_split),
        ("validation", validation_folds, validation_split),
        ("test", test_folds, test_split),
    ):
        if fold:
            folds[part] = sorted(fold)
        if split:
            splits[part] = split
    if folds and splits:
        raise SoundviewsError("choose clips by folds or by splits, not by both")
    if not folds and not splits:
        folds, splits = _defaults(corpus)
    if "test" in folds and "train" not in folds:
        used = [fold for part in folds.values() for fold in part]
        folds["train"] = [fold for fold in fold_numbers(corpus) if fold not in used]
    parts, words = _parts(corpus, folds, splits, seed)
    if validation_share:
        _hold_out(corpus, parts, words, validation_share, seed)
    return _task(corpus, parts, words, reading)


def cross_validation(corpus: Corpus, **reading: Any) -> list[Task]:
    """One task for each fold: test on it, train on the others."""
    folds = fold_numbers(corpus)
    if len(folds) < 2:
        raise SoundviewsError("cross-validation needs a corpus with at least two folds")
    return [make_task(corpus, test_folds=[fold], **reading) for fold in folds]


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
    rarity = np.where(labels, labels.sum(axis=0), np.iinfo(np.int64).max)
    own, second = rarity.argmin(axis=1), np.zeros(len(labels), dtype=bool)
    order = np.random.default_rng(seed).permutation(len(labels))
    for index in range(labels.shape[1]):
        clips = order[(own[order] == index) & labels[order, index]]
        taken = round(share * len(clips))
        second[clips[: max(taken, 1) if len(clips) > 1 else 0]] = True
    return np.flatnonzero(~second), np.flatnonzero(second)


def _defaults(corpus: Corpus) -> tuple[dict[str, list[int]], dict[str, str]]:
    folds = fold_numbers(corpus)
    if len(folds) > 1:
        return {"train": folds[:-1], "test": folds[-1:]}, {}
    names = set(pc.unique(corpus.table["split"]).to_pylist())
    if {"train", "test"} <= names:
        chosen = {"train": "train", "test": "test"}
        for name in ("validation", "val"):
            if name in names:
                chosen["validation"] = name
        return {}, chosen
    return {}, {}


def _task(corpus: Corpus, parts: dict[str, Indices], words: dict[str, str], reading: dict[str, Any]) -> Task:
    """Keep only the clips that some part uses, so that no other is ever decoded."""
    for part, indices in parts.items():
        if not len(indices):
            raise SoundviewsError(f"no clip for {part}: of {len(corpus)} clips none is in {words[part]}")
    used, counts = np.unique(np.concatenate(list(parts.values())), return_counts=True)
    if counts.max() > 1:
        raise SoundviewsError(f"{int((counts > 1).sum())} clips are in two parts of the task: {words}")
    inside = {part: np.searchsorted(used, indices) for part, indices in parts.items()}
    none = np.empty(0, dtype=np.int64)
    reading = {"skipped": {item.path: item.reason for item in corpus.skipped}, **reading}
    description = "; ".join(f"{part}: {words[part]} ({len(parts[part])} clips)" for part in parts)
    return Task(
        corpus if len(used) == len(corpus) else corpus.select(used),
        inside.get("train", none),
        inside.get("validation", none),
        inside.get("test", none),
        description,
        **reading,
    )


def _parts(
    corpus: Corpus, folds: dict[str, list[int]], splits: dict[str, str], seed: int
) -> tuple[dict[str, Indices], dict[str, str]]:
    """The clips of each part and how it is called."""
    if not (folds or splits or corpus.vocabulary):
        return {"test": np.arange(len(corpus))}, {"test": "all of it"}
    if folds:
        parts = {part: _where(corpus, "fold", numbers) for part, numbers in folds.items()}
        return parts, {part: "fold " + ", ".join(map(str, numbers)) for part, numbers in folds.items()}
    if splits:
        parts = {part: _where(corpus, "split", [name]) for part, name in splits.items()}
        return parts, {part: f"split {name}" for part, name in splits.items()}
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
