"""The ten-class subset of AudioSet that acl is judged by (Sec. 3.3), as a corpus and as a manifest."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from soundviews.audio.corpus import SCHEMA, Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.audioset import video_of
from soundviews.datasets.splits import divide

CLASSES, CLIPS = 10, 2000
SHARES = {"train": 0.8, "test": 0.2}


def ten_class_subset(corpus: Corpus, clips: int = CLIPS, seed: int = 0) -> Corpus:
    """`clips` clips of the ten most populated classes; the paper names neither the draw nor the split, these are ours.

    The ten are the classes with most clips in `corpus`, of equal ones the first. Among the clips with any of them,
    those that come first by a hash of seed and video are drawn, so that the classes stay as unequal as in AudioSet;
    their other labels are dropped. 80 % train and 20 % test, likewise by hash, stratified by each clip's rarest class.

    Raises:
        SoundviewsError: There are fewer than ten classes with clips, or fewer than `clips` clips of the ten.
    """
    counts = np.bincount(pc.list_flatten(corpus.table["labels"]).to_numpy(), minlength=len(corpus.vocabulary))
    ten = np.sort(np.argsort(-counts, kind="stable")[:CLASSES])
    if (counts > 0).sum() < CLASSES:
        raise SoundviewsError(f"only {(counts > 0).sum()} classes have clips here, {CLASSES} are wanted")
    labels = _labels_among(corpus, ten)
    candidates = np.flatnonzero(labels.any(1))
    if len(candidates) < clips:
        raise SoundviewsError(f"only {len(candidates):,} clips have one of the ten classes, {clips:,} are wanted")
    videos = [video_of(path) or path for path in corpus.table["path"].take(pa.array(candidates)).to_pylist()]
    ranks = [hashlib.blake2b(f"{seed}/draw/{video}".encode()).digest() for video in videos]
    drawn = sorted(sorted(range(len(videos)), key=ranks.__getitem__)[:clips])
    labels = labels[candidates[drawn]]
    rarest = np.where(labels, labels.sum(0), clips + 1).argmin(1)
    splits = divide([videos[i] for i in drawn], SHARES, seed, within=[str(place) for place in rarest])
    columns = {"labels": [np.flatnonzero(row).tolist() for row in labels], "split": splits}
    table = corpus.table.take(pa.array(candidates[drawn]))
    for name, values in columns.items():
        field = SCHEMA.field(name)
        table = table.set_column(SCHEMA.get_field_index(name), field, pa.array(values, field.type))
    return Corpus(corpus.root, table, [corpus.vocabulary[place] for place in ten])


def _labels_among(corpus: Corpus, classes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """(clips, classes) which of a few classes each clip has; the matrix of all 527 might not fit the memory."""
    lists = corpus.table["labels"]
    clip = np.repeat(np.arange(len(corpus)), pc.fill_null(pc.list_value_length(lists), 0).to_numpy())
    label = pc.list_flatten(lists).to_numpy()
    place = np.full(len(corpus.vocabulary), -1)
    place[classes] = np.arange(len(classes))
    among = place[label] >= 0
    matrix = np.zeros((len(corpus), len(classes)), bool)
    matrix[clip[among], place[label[among]]] = True
    return matrix


def write_manifest(corpus: Corpus, path: Path) -> None:
    """Path, labels and split of each clip as a manifest that every command takes for a corpus.

    `path` has to be in the corpus's root, because a manifest's paths start from its own folder.
    """
    columns = (corpus.table[name].to_pylist() for name in ("path", "labels", "split"))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("path", "labels", "split"))
        for name, labels, split in zip(*columns, strict=True):
            table.writerow((name, ";".join(corpus.vocabulary[place] for place in labels), split))
