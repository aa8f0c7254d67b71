"""`soundviews.embed` and `soundviews.embed_archive`: recordings to vectors, as arrays and as a file."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from soundviews.archive.blocks import embed_in_blocks
from soundviews.archive.embed import Embedded, audio_behind, embed_files
from soundviews.audio.corpus import Corpus, Skipped
from soundviews.core.errors import SoundviewsError
from soundviews.core.progress import bar
from soundviews.datasets.opening import Data, open_corpus, open_recordings
from soundviews.evaluation.embeddings import chosen_pool
from soundviews.evaluation.opening import open_model
from soundviews.face.clips import EmbeddedClips
from soundviews.model import Model
from soundviews.model.pooling import Pool, WindowPool, pool_windows

POOLS = get_args(Pool)


def embed(
    model: str | Path | Model,
    data: Data,
    *,
    pool: Pool | None = "auto",
    device: str = "auto",
    workers: int = 2,
    strict: bool = False,
    progress: bool = True,
) -> tuple[NDArray[np.float32], EmbeddedClips]:
    """Embed the clips of a corpus, of any lengths, as arrays that scikit-learn takes.

    Args:
        model: A run, a bundle, or what `soundviews.load` gives.
        data: What `soundviews.open_corpus` opens: a folder, a manifest, recordings, "scenes", a corpus.
        pool: How a clip's windows become its row: "mean", "loudness" (the mean weighted by their power to the 0.3),
            "max" or "mean+max+std", which is three times as long; "auto" is what the bundle says, else the mean. None
            gives one row for each window.
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
    if pool not in (*POOLS, None):
        raise SoundviewsError(f"pool is one of {', '.join(POOLS)}, or None for a row for each window, not {pool!r}")
    encoder = _encoder(model, device)
    how = None if pool is None else chosen_pool(encoder, pool)
    corpus = open_corpus(data, strict, progress=progress).with_durations(progress=progress)
    skipped: list[Skipped] = list(corpus.skipped)
    rows: list[_Windows] = []
    for windows in _read_clips(encoder, corpus, workers, strict, progress, skipped):
        rows.append(windows if how is None else windows.pooled(corpus, how))
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
    wait: bool = False,
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
        wait: Wait for another process that is writing `out`.

    Raises:
        SoundviewsError: nothing can be read, `out` holds something else, another process is writing it, or the disk is
            full.
    """
    encoder = _encoder(model, device)
    corpus = open_recordings(data, strict, progress)
    return embed_files(encoder, corpus, out, encoder.path or "", workers, strict=strict, progress=progress, wait=wait)


class _Windows(NamedTuple):
    """All windows of the clip in a row of the corpus: starts, ends (windows,) s, vectors (windows, dim), power
    (windows,)."""

    row: int
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: NDArray[np.float32]
    power: NDArray[np.float32]

    def pooled(self, corpus: Corpus, pool: WindowPool) -> "_Windows":
        """The clip as one window with one vector."""
        clip = corpus.clip(self.row)
        end = corpus.column("duration")[self.row] if clip.end is None else clip.end
        one, wide = np.zeros(len(self.vectors), dtype=np.int64), self.vectors.astype(np.float64)
        vector = pool_windows(wide, one, 1, pool, self.power).astype(np.float32)
        return _Windows(self.row, np.array([clip.start]), np.array([end]), vector, self.power.max(keepdims=True))


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
                windows.append(_Windows(row, piece.starts, piece.ends, piece.vectors, piece.power))
                reason = reason or (piece.skipped.reason if piece.skipped else "")
                advance.reach(row + piece.done, behind(row + piece.done))
                if piece.block.wanted is not None:
                    continue
                if reason:
                    skipped.append(Skipped(corpus.clip(row).path, reason))
                    if strict:
                        raise SoundviewsError(f"{skipped[-1].path}: {reason}")
                else:
                    columns = zip(*((w.starts, w.ends, w.vectors, w.power) for w in windows), strict=True)
                    yield _Windows(row, *map(np.concatenate, columns))
                windows, reason = [], ""
