"""Embeddings of a whole corpus, computed once and kept on disk."""

import hashlib
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import evaluation_batches
from soundviews.core.errors import SoundviewsError
from soundviews.core.files import folder_written_whole
from soundviews.core.progress import bar
from soundviews.features.patches import Clips


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
    """

    vectors: NDArray[np.float32]
    clip: NDArray[np.int64]
    kept: NDArray[np.bool_]
    skipped: list[tuple[str, str]] = field(default_factory=list)

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


def clip_means(values: NDArray[Any], clip: NDArray[np.int64], clips: int) -> NDArray[Any]:
    """Mean over each clip's windows.

    Args:
        values: (windows, n).
        clip: (windows,), rising.
        clips: How many there are; one without windows gets zeros.
    """
    count = np.bincount(clip, minlength=clips)
    filled = np.flatnonzero(count)
    result = np.zeros((clips, values.shape[1]), dtype=values.dtype)
    if len(filled):
        first = count.cumsum() - count
        result[filled] = np.add.reduceat(values, first[filled], axis=0) / count[filled, None]
    return result


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
    reading = {"batch_size": batch_size, "workers": workers, "strict": strict}
    if cache is None or not model.fingerprint:
        with tempfile.TemporaryDirectory(prefix="soundviews-") as directory:
            _compute(model, corpus, space, Path(directory), progress, **reading)
            return _read(Path(directory))  # the mapping outlives the name of its file
    key = repr((1, model.fingerprint, model.sample_rate, corpus.fingerprint, space))
    folder = Path(cache) / hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
    if not folder.is_dir():
        try:
            with folder_written_whole(folder) as building:
                _compute(model, corpus, space, building, progress, **reading)
        except OSError as error:
            raise SoundviewsError(f"cannot keep the embeddings in {cache}: {error}") from error
    embeddings = _read(folder)
    if strict and embeddings.skipped:
        raise SoundviewsError("{}: {}".format(*embeddings.skipped[0]))
    return embeddings


def _compute(model: Embeds, corpus: Corpus, space: str, directory: Path, progress: bool, **reading: Any) -> None:
    """Write vectors, their clips and what was unreadable, a batch of clips at a time."""
    skipped: list[Any] = []
    batches = evaluation_batches(corpus, model.sample_rate, skipped=skipped, **reading)
    owners, kept, size = [], np.zeros(len(corpus), dtype=bool), 0
    shown = bar(f"embedding ({model.name}, {space})", len(corpus), "clips", progress)
    with open(directory / "vectors.f32", "wb") as file, shown as advance:
        for batch in batches:
            embedded, row, _ = model.embed_clips(Clips(batch.samples, batch.lengths), space=space)
            vectors = np.ascontiguousarray(embedded.numpy(), dtype=np.float32)
            if len(wrong := np.flatnonzero(~np.isfinite(vectors).all(axis=1))):
                path = corpus.clip(int(batch.index[row[wrong[0]]])).path
                raise SoundviewsError(f"{model.name}: the embedding of {path} is NaN or infinite")
            vectors.tofile(file)
            size = vectors.shape[1]
            owners.append(batch.index[row].numpy())
            kept[batch.index.numpy()] = True
            advance(len(batch.index))
    reasons = [(item.path, item.reason) for item in skipped]
    if not kept.any():
        named = "".join(f"; {path}: {reason}" for path, reason in reasons[:1])
        raise SoundviewsError(f"none of the {len(corpus)} clips is readable{named}")
    np.savez(directory / "clips.npz", clip=np.concatenate(owners), kept=kept, size=size)
    (directory / "skipped.json").write_text(json.dumps(reasons), encoding="utf-8")


def _read(directory: Path) -> CorpusEmbeddings:
    with np.load(directory / "clips.npz") as arrays:
        clip, kept, size = arrays["clip"], arrays["kept"], int(arrays["size"])
    skipped = [(path, reason) for path, reason in json.loads((directory / "skipped.json").read_text(encoding="utf-8"))]
    # mode "c": pages are read when needed, and torch may wrap them without a warning about read-only memory
    vectors = np.memmap(directory / "vectors.f32", dtype=np.float32, mode="c", shape=(len(clip), size))
    return CorpusEmbeddings(vectors, clip, kept, skipped)
