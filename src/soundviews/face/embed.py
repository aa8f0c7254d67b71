"""`soundviews.embed` and `soundviews.embed_archive`: recordings to vectors, as arrays and as a file."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from soundviews.archive.blocks import embed_in_blocks
from soundviews.archive.embed import Embedded, audio_behind, embed_files
from soundviews.audio.corpus import Corpus, Skipped
from soundviews.core.errors import SoundviewsError
from soundviews.core.progress import bar
from soundviews.datasets.opening import Data, open_corpus
from soundviews.evaluation.opening import open_model
from soundviews.face.clips import EmbeddedClips
from soundviews.model import Model


def embed(
    model: str | Path | Model,
    data: Data,
    *,
    pool: Literal["mean"] | None = "mean",
    device: str = "auto",
    workers: int = 2,
    strict: bool = False,
    progress: bool = True,
) -> tuple[NDArray[np.float32], EmbeddedClips]:
    """Embed the clips of a corpus, of any lengths, as arrays that scikit-learn takes.

    Args:
        model: A run, a bundle, or what `soundviews.load` gives.
        data: What `soundviews.open_corpus` opens: a folder, a manifest, recordings, "scenes", a corpus.
        pool: "mean" gives one row for each clip, the mean over its windows; None one row for each window.
        device: "auto" is the GPU where there is one.
        workers: Threads that decode ahead.
        strict: Stop at the first clip that cannot be read; without, it is left out, and in `clips.skipped`.
        progress: Show a bar.

    Returns:
        vectors (rows, embedding_size) float32, and what each row is: `clips.path`, `.start`, `.end`, `.labels`, and
        `.y` where every clip has one class.

    Raises:
        SoundviewsError: no clip can be read, or (strict) one of them.
    """
    if pool not in ("mean", None):
        raise SoundviewsError(f'pool is "mean" (a row for each clip) or None (a row for each window), not {pool!r}')
    encoder = _encoder(model, device)
    corpus = open_corpus(data, strict, progress=progress).with_durations(progress=progress)
    skipped: list[Skipped] = list(corpus.skipped)
    rows: list[_Windows] = []
    for windows in _read_clips(encoder, corpus, workers, strict, progress, skipped):
        rows.append(windows if pool is None else windows.mean(corpus))
    if not rows:
        first = f"; the first, {skipped[0].path}: {skipped[0].reason}" if skipped else ""
        raise SoundviewsError(f"not one of the clips could be read{first}")
    if skipped:
        logging.getLogger("soundviews").warning(
            "%d recordings or clips could not be read; the first: %s: %s", len(skipped), *skipped[0]
        )
    index = np.repeat([windows.row for windows in rows], [len(windows.starts) for windows in rows])
    starts, ends = (np.concatenate([getattr(windows, name) for windows in rows]) for name in ("starts", "ends"))
    clips = EmbeddedClips(corpus.select(index), starts, ends, skipped)
    return np.concatenate([windows.vectors for windows in rows]), clips


def embed_archive(
    model: str | Path | Model,
    data: Data,
    out: str | Path,
    *,
    device: str = "auto",
    workers: int = 2,
    strict: bool = False,
    progress: bool = True,
) -> Embedded:
    """Embed recordings of any length into a Parquet file, a row for each window; `open_archive` searches it.

    Interrupted, the same call goes on where it was. What cannot be read is named in OUT.skipped.csv.

    Args:
        model: A run, a bundle, or what `soundviews.load` gives; the file remembers where it was loaded from.
        data: What `soundviews.open_corpus` opens: folders, manifests, recordings, "scenes", a corpus.
        out: Parquet file to write: recording, start, end (s), vector.
        device: "auto" is the GPU where there is one.
        workers: Threads that decode ahead.
        strict: Stop at the first recording that cannot be read.
        progress: Show a bar.

    Raises:
        SoundviewsError: nothing can be read, `out` holds something else, or the disk is full.
    """
    encoder = _encoder(model, device)
    corpus = open_corpus(data, strict, progress=progress)
    return embed_files(encoder, corpus, out, encoder.path or "", workers, strict=strict, progress=progress)


class _Windows(NamedTuple):
    """All windows of the clip in a row of the corpus: starts, ends (windows,) s, vectors (windows, dim)."""

    row: int
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: NDArray[np.float32]

    def mean(self, corpus: Corpus) -> "_Windows":
        """The clip as one window with the mean of the vectors."""
        clip = corpus.clip(self.row)
        end = corpus.column("duration")[self.row] if clip.end is None else clip.end
        mean = self.vectors.mean(axis=0, dtype=np.float64, keepdims=True).astype(np.float32)
        return _Windows(self.row, np.array([clip.start]), np.array([end]), mean)


def _encoder(model: str | Path | Model, device: str) -> Model:
    opened = open_model(model, device)
    if not isinstance(opened, Model):
        raise SoundviewsError(f"{model} has no windows to embed: give a run or a bundle")
    return opened


def _read_clips(
    encoder: Model, corpus: Corpus, workers: int, strict: bool, progress: bool, skipped: list[Skipped]
) -> Iterator[_Windows]:
    """Every clip that could be read whole; the others join `skipped`."""
    windows: list[_Windows] = []
    reason = ""
    behind = audio_behind(corpus, progress)
    with bar("embedding", len(corpus), "clips", progress, audio_total=behind(len(corpus))) as advance:
        for pieces in embed_in_blocks(encoder, corpus, workers=workers):
            for piece in pieces:
                row = piece.block.row
                windows.append(_Windows(row, piece.starts, piece.ends, piece.vectors))
                reason = reason or (piece.skipped.reason if piece.skipped else "")
                advance.reach(row + piece.done, behind(row + piece.done))
                if piece.block.wanted is not None:
                    continue
                if reason:
                    skipped.append(Skipped(corpus.clip(row).path, reason))
                    if strict:
                        raise SoundviewsError(f"{skipped[-1].path}: {reason}")
                else:
                    columns = zip(*((w.starts, w.ends, w.vectors) for w in windows), strict=True)
                    yield _Windows(row, *map(np.concatenate, columns))
                windows, reason = [], ""
