"""A task: labelled clips and which of them train, choose and judge; and the one way to open it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError, option
from soundviews.datasets.opening import Data, open_corpus
from soundviews.evaluation.embeddings import CorpusEmbeddings, Embeds, embed_corpus
from soundviews.evaluation.parts import PARTS, Indices, choose_parts, fold_numbers


@dataclass
class Task:
    """A labelled corpus and its parts.

    train, validation, test: int64 (n,) each, rows of `corpus`; those a protocol does not need may be empty.
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
                options = f"{option(f'{part}_folds')} or {option(f'{part}_split')}"
                raise SoundviewsError(f"{protocol} needs {part} clips and the task has none: give {options}")
        if single_label and not self.corpus.single_label:
            raise SoundviewsError(f"{protocol} needs clips with exactly one label each, and {_not_one(self.corpus)}")

    def require_classes(self, protocol: str, *parts: str, kept: NDArray[np.bool_] | None = None) -> None:
        """Raise a SoundviewsError for a part whose clips all have the same labels: nothing tells them apart.

        Args:
            kept: bool (clips,), which clips of the task could be read, once that is known; the others do not count.
        """
        labels = self.corpus.label_matrix()
        for part in parts:
            clips = getattr(self, part)
            of_part = labels[clips if kept is None else clips[kept[clips]]]
            if len(clips) and not len(of_part):
                raise SoundviewsError(f"{protocol}: none of the {len(clips)} {part} clips is readable")
            everywhere = of_part.all(axis=0)
            if not (of_part.any(axis=0) & ~everywhere).any():
                same = f"{part} clips have the same label: {self.names(everywhere) or 'none'}"
                raise SoundviewsError(f"{protocol} needs at least two classes, and all {len(of_part)} {same}")

    def by_class(self, values: NDArray[np.float64]) -> dict[str, float]:
        """Values (classes,) by class name, without the NaN of classes that could not be judged."""
        return {
            name: float(value) for name, value in zip(self.corpus.vocabulary, values, strict=True) if np.isfinite(value)
        }

    def names(self, chosen: NDArray[np.bool_]) -> str:
        """The names of these classes (classes,), the first twenty and how many more; empty for none."""
        indices = np.flatnonzero(chosen)
        more = f" and {len(indices) - 20} more" if len(indices) > 20 else ""
        return ", ".join(self.corpus.vocabulary[index] for index in indices[:20]) + more

    def notes(self) -> list[str]:
        """What a reader of the result must know about the clips."""
        labels, notes = self.corpus.label_matrix(), []
        if self.skipped:  # a class whose clips could not be read has none
            paths = self.corpus.table["path"].to_pylist()
            labels[[os.path.join(self.corpus.root, path) in self.skipped for path in paths]] = False
        for part, meaning in (("train", "nothing can learn them"), ("test", "nothing is said of them")):
            indices = getattr(self, part)
            if len(indices) and (empty := self.names(~labels[indices].any(axis=0))):
                notes.append(f"classes without {part} clips ({meaning}): {empty}")
        if self.skipped:
            notes.append(f"{len(self.skipped)} unreadable clips were left out")
        return notes


def _not_one(corpus: Corpus) -> str:
    """How many clips have several labels or else none, and what to do."""
    labels, clips = corpus.label_matrix().sum(axis=1), f"of these {len(corpus):,} clips have"
    if several := int((labels > 1).sum()):
        return f"{several:,} {clips} several: use linear or qbe"
    return f"{int((labels == 0).sum()):,} {clips} none: label them, or leave them out"


def open_tasks(
    data: Data | Task,
    *,
    train_folds: Sequence[int] | None = None,
    validation_folds: Sequence[int] | None = None,
    test_folds: Sequence[int] | None = None,
    train_split: str | Sequence[str] | None = None,
    validation_split: str | Sequence[str] | None = None,
    test_split: str | Sequence[str] | None = None,
    validation_share: float = 0.0,
    cross_validate: bool = False,
    seed: int = 0,
    labelled: bool = True,
    **reading: Any,
) -> list[Task]:
    """A task in a list, or for a cross-validation one for each fold.

    When neither folds nor splits are given: a corpus with folds is tested on its last and trained on the others; one
    with splits "train" and "test" (and "validation" or "val") uses them; any other is divided 80/20, stratified and
    seeded. If only the test part is named and the corpus has folds, the other folds train.

    Args:
        data: What `open_corpus` takes, or a task, which is returned as it is.
        train_split, validation_split, test_split: A name in the corpus's column split, or several.
        validation_share: Where no validation part is named: hold out this share of the training clips, stratified
            and drawn by `seed`.
        cross_validate: Test on each fold once, and train on the others.
        labelled: Whether labels are needed. Without them, and where neither folds nor splits are given, all clips of
            a corpus that has none are test clips.
        reading: Fields of Task: cache, workers, batch_size, strict, progress.

    Raises:
        SoundviewsError: no labels where they are needed, an empty selection, or parts that share clips.
    """
    for part, value in zip(PARTS, (train_folds, validation_folds, test_folds), strict=True):
        if isinstance(value, int | str):
            raise SoundviewsError(f"{option(f'{part}_folds')} is a list of folds, as [3], not {value!r}")
    folds = _named(train_folds, validation_folds, test_folds)
    named = _named(train_split, validation_split, test_split)
    splits = {part: [names] if isinstance(names, str) else names for part, names in named.items()}
    if cross_validate and (folds or splits):
        raise SoundviewsError(f"{option('cross_validate')} tests on every fold: give no folds or splits beside it")
    if isinstance(data, Task):
        if folds or splits or validation_share or cross_validate:
            raise SoundviewsError("a task has its parts already: give no folds, splits or shares beside it")
        return [data]
    corpus = open_corpus(data, strict=reading.get("strict", False))
    if labelled and not corpus.vocabulary:
        raise SoundviewsError(
            "the corpus has no labels, so there is nothing to judge by: a folder needs two or more sub-folders, "
            "one a class; a manifest a column label. The protocol invariance alone needs none"
        )
    choices = [folds]
    if cross_validate:
        choices = [{"test": [fold]} for fold in fold_numbers(corpus)]
        if len(choices) < 2:
            raise SoundviewsError("cross-validation needs a corpus with at least two folds")
    chosen = [choose_parts(corpus, by_part, splits, validation_share, seed) for by_part in choices]
    return [_task(corpus, parts, words, reading) for parts, words in chosen]


def _named(*values: Any) -> dict[str, Any]:
    """By part what was given for it."""
    return {
        part: sorted(value) if isinstance(value, list | tuple | set) else value
        for part, value in zip(PARTS, values, strict=True)
        if value
    }


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
