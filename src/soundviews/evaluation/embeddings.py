"""Embeddings of a whole corpus, computed once and kept on disk."""

import hashlib
import json
import os
import zlib
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import evaluation_batches
from soundviews.core.caches import discard, warn_nothing_kept
from soundviews.core.errors import SoundviewsError
from soundviews.core.files import folder_written_whole, remove_unfinished
from soundviews.core.progress import bar
from soundviews.evaluation.vector_file import VectorFile, map_rows
from soundviews.features.patches import Clips
from soundviews.model.pooling import Pool, WindowPool, clip_means, pool_windows

VECTORS, CLIPS = "vectors.f32", "clips.npz"  # in the cache


class Embeds(Protocol):
    """What the protocols on frozen embeddings ask of a model; `Model` and `LogMelStatistics` have it.

    fingerprint: changes when the embeddings would; empty where it is not known, and then nothing is kept.
    """

    name: str
    fingerprint: str
    sample_rate: int
    head: Any

    def embed_clips(self, clips: Clips, space: str = "h") -> tuple[Tensor, Tensor, Tensor]: ...


@dataclass(frozen=True)
class CorpusEmbeddings:
    """Embeddings of every window of every readable clip.

    vectors: float32 (windows, dim), on disk where they are kept.
    clip: int64 (windows,), each window's clip, rising.
    kept: bool (clips,), False for clips that could not be read.
    skipped: (path, reason) of those.
    power: float32 (windows,), as `window_power` says; None for encoders that do not say it.
    """

    vectors: NDArray[np.float32]
    clip: NDArray[np.int64]
    kept: NDArray[np.bool_]
    skipped: list[tuple[str, str]] = field(default_factory=list)
    power: NDArray[np.float32] | None = None

    def spans(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First window and number of windows of each clip, int64 (clips,) each; (., 0) where it is not kept."""
        count = np.bincount(self.clip, minlength=len(self.kept))
        return count.cumsum() - count, count

    def windows(self, clips: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The windows of `clips`, in their order, and each window's index into `clips`, int64 (windows,) both."""
        first, count = (part[clips] for part in self.spans())
        before = count.cumsum() - count
        return np.arange(count.sum()) + np.repeat(first - before, count), np.repeat(np.arange(len(clips)), count)

    def clip_means(self) -> NDArray[np.float32]:
        """Mean over each clip's windows, (clips, dim); zero where it is not kept."""
        return clip_means(self.vectors, self.clip, len(self.kept))

    def clip_vectors(self, pool: WindowPool) -> NDArray[np.float32]:
        """One vector for each clip, (clips, dim), of mean+max+std (clips, 3 * dim); zero where it is not kept."""
        return pool_windows(self.vectors, self.clip, len(self.kept), pool, self.power)


def chosen_pool(model: Embeds, pool: Pool) -> WindowPool:
    """How this model's windows become a clip: as asked; for "auto" as its bundle says, else by their mean."""
    own: WindowPool = getattr(model, "pool", "mean")
    return own if pool == "auto" else pool


def embed_corpus(
    model: Embeds,
    corpus: Corpus,
    space: str = "h",
    cache: str | Path | None = None,
    batch_size: int = 16,
    workers: int = 0,
    progress: bool = False,
    strict: bool = False,
) -> CorpusEmbeddings:
    """Embed every window of every clip, or read what an earlier call kept.

    Args:
        space: "h", or "z" for the head's projections.
        cache: Directory that keeps the result by the model, the corpus and the space. Without it (or for a model
            without fingerprint) everything stays in memory.
        batch_size: Clips decoded and embedded at once.

    Raises:
        SoundviewsError: if no clip is readable, an embedding is NaN or infinite, or (strict) at the first that is not.
    """
    reading: dict[str, Any] = {"batch_size": batch_size, "workers": workers, "strict": strict, "progress": progress}
    if cache is None or not model.fingerprint:
        return _compute(model, corpus, space, None, **reading)
    key = repr((2, model.fingerprint, model.sample_rate, corpus.fingerprint, space))
    folder = Path(cache) / hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
    embeddings = _from_last_time(folder, len(corpus))
    if embeddings is None:
        embeddings = _make(model, corpus, space, folder, **reading)
    if strict and embeddings.skipped:
        raise SoundviewsError("{}: {}".format(*embeddings.skipped[0]))
    return embeddings


def _make(model: Embeds, corpus: Corpus, space: str, folder: Path, **reading: Any) -> CorpusEmbeddings:
    """Compute the embeddings and keep them in `folder`; where that cannot be, they are computed all the same."""
    try:
        remove_unfinished(folder.parent)
        with folder_written_whole(folder) as building:
            _compute(model, corpus, space, building, **reading)
    except OSError as error:
        warn_nothing_kept(folder, error)
    except _NotKeptError as full:
        warn_nothing_kept(folder, full.error)
        return full.embeddings
    return _from_last_time(folder, len(corpus)) or _compute(model, corpus, space, None, **reading)


class _NotKeptError(Exception):
    """The disk took no more; the embeddings are in memory."""

    def __init__(self, embeddings: CorpusEmbeddings, error: OSError) -> None:
        super().__init__(embeddings, error)
        self.embeddings, self.error = embeddings, error


def _compute(
    model: Embeds, corpus: Corpus, space: str, directory: Path | None, progress: bool, **reading: Any
) -> CorpusEmbeddings:
    """Embed a batch of clips at a time, into a directory if it is given.

    Raises:
        _NotKeptError: The directory takes no more.
    """
    skipped: list[Any] = []
    batches = evaluation_batches(corpus, model.sample_rate, skipped=skipped, **reading)
    owners, powers, kept = [], [], np.zeros(len(corpus), dtype=bool)
    power_of = getattr(model, "window_power", None)
    shown = bar(f"embedding ({model.name}, {space})", len(corpus), "clips", progress)
    file = VectorFile(directory and directory / VECTORS)
    with closing(file), shown as advance:
        for batch in batches:
            clips = Clips(batch.samples, batch.lengths)
            embedded, row, starts = model.embed_clips(clips, space=space)
            vectors = np.ascontiguousarray(embedded.numpy(), dtype=np.float32)
            if len(wrong := np.flatnonzero(~np.isfinite(vectors).all(axis=1))):
                path = corpus.clip(int(batch.index[row[wrong[0]]])).path
                raise SoundviewsError(f"{model.name}: the embedding of {path} is NaN or infinite")
            file.add(vectors)
            owners.append(batch.index[row].numpy())
            if power_of is not None:
                powers.append(power_of(clips, row, starts))
            kept[batch.index.numpy()] = True
            advance(len(batch.index))
        reasons = [(item.path, item.reason) for item in skipped]
        if not kept.any():
            named = "".join(f"; {path}: {reason}" for path, reason in reasons[:1])
            raise SoundviewsError(f"none of the {len(corpus)} clips is readable{named}")
        power = np.concatenate(powers) if powers else None
        result = CorpusEmbeddings(file.rows(), np.concatenate(owners), kept, reasons, power)
    if directory and file.error:
        raise _NotKeptError(result, file.error)
    if directory:
        _describe(directory, result, file.checksum)
    return result


def _describe(directory: Path, embeddings: CorpusEmbeddings, checksum: int) -> None:
    """Write all but the vectors."""
    power = np.empty(0, np.float32) if embeddings.power is None else embeddings.power
    skipped = np.frombuffer(json.dumps(embeddings.skipped).encode(), np.uint8)
    size = embeddings.vectors.shape[1]
    np.savez(
        directory / CLIPS,
        clip=embeddings.clip,
        kept=embeddings.kept,
        size=size,
        checksum=checksum,
        power=power,
        skipped=skipped,
    )


def _from_last_time(folder: Path, clips: int) -> CorpusEmbeddings | None:
    """What an earlier call kept; None if that is nothing, or damaged."""
    if not os.path.lexists(folder):
        return None
    try:
        return _read(folder, clips)
    except Exception as error:  # NumPy reads headers as Python, which fails in many ways
        discard(folder, error)
        return None


def _read(folder: Path, clips: int) -> CorpusEmbeddings:
    with np.load(folder / CLIPS) as arrays:
        clip, kept, power = arrays["clip"], arrays["kept"], arrays["power"]
        size, checksum = int(arrays["size"]), int(arrays["checksum"])
        skipped = [(path, reason) for path, reason in json.loads(arrays["skipped"].tobytes())]
    if len(kept) != clips or len(power) not in (0, len(clip)):
        raise ValueError(f"{CLIPS} is of other clips")
    if (folder / VECTORS).stat().st_size != len(clip) * size * 4:
        raise ValueError(f"{VECTORS} is of another length")
    vectors = map_rows(folder / VECTORS, len(clip), size)
    if zlib.crc32(vectors.data.cast("B")) != checksum:
        raise ValueError(f"{VECTORS} does not fit its checksum")
    return CorpusEmbeddings(vectors, clip, kept, skipped, power if len(power) else None)
