"""Exact search by example in an embedded archive."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from soundviews.archive.blocks import embed_in_blocks
from soundviews.archive.embed import COLUMNS, read_metadata
from soundviews.audio.corpus import Corpus
from soundviews.audio.joining import is_text
from soundviews.core.bundle_files import bundle_hash
from soundviews.core.errors import SoundviewsError, option
from soundviews.core.shipped import locate, shipped_folder
from soundviews.features.patches import Clips
from soundviews.model import Model
from soundviews.model.pooling import pool_windows
from soundviews.recipes.schema import Readout

BATCH_BYTES = 32 << 20  # of vectors looked at together

QueryPool = Literal["auto", Readout]
"""How a query's windows become one vector; "auto" is what the bundle says."""


class Hit(NamedTuple):
    """A window of the archive. start, end: seconds within the recording; similarity: cosine, -1 to 1."""

    recording: str
    start: float
    end: float
    similarity: float


def find_bundle_of(archive: str | Path, given: str | Path | None = None) -> Path:
    """The bundle that an archive file was embedded with: `given`, or where the file says it was.

    An encoder that comes with the package is looked for there, wherever the package is now.

    Raises:
        SoundviewsError: where it is not there, or is not the one: cosines across bundles mean nothing.
    """
    bundle = read_metadata(archive)["bundle"]
    path = locate(given) if given else Path(bundle["path"]) if bundle["path"] else None
    if not given and not (path and path.exists()):
        path = shipped_folder(bundle["name"]) or path
    if not path or not path.exists():
        raise SoundviewsError(
            f"the bundle that {archive} was embedded with ({bundle['name']}, {bundle['hash']}) is not at "
            f"{path or 'a path that the archive knows'}: say where it is with {option('bundle')}"
        )
    fingerprint = bundle_hash(path)
    if fingerprint != bundle["hash"]:
        raise SoundviewsError(
            f"{archive} was embedded with another bundle ({bundle['name']}, {bundle['hash']}) than the one at "
            f"{path} ({fingerprint})"
        )
    return path


def query_vector(
    model: Model, recording: str | Path, start: float = 0.0, end: float | None = None, pool: QueryPool = "auto"
) -> np.ndarray:
    """What a recording's windows have in common as one vector, float32 (dim,), as `direction_of` says.

    Args:
        model: The bundle that the archive was embedded with.
        recording: An audio file of any length.
        start, end: Seconds; the stretch of it to look for.
        pool: How its windows become one; "auto" is what the bundle says.

    Raises:
        SoundviewsError: where the recording cannot be read.
    """
    path = Path(recording).absolute()
    if not is_text(str(path)):
        raise SoundviewsError(f"{str(recording)!r}: its name is not valid UTF-8; give it another")
    if end is not None and end <= start:
        raise SoundviewsError(f"a stretch from {start:g} s to {end:g} s is empty")
    vectors, power = [], []
    clip = Corpus.from_columns(path.parent, [path.name], starts=[start], ends=[end])
    for pieces in embed_in_blocks(model, clip):
        for piece in pieces:
            if piece.skipped is not None:
                raise SoundviewsError(f"{recording}: {piece.skipped.reason}")
            vectors.append(piece.vectors)
            power.append(piece.power)
    return direction_of(np.concatenate(vectors), np.concatenate(power), model.pool if pool == "auto" else pool)


def samples_vector(model: Model, clips: Clips, pool: QueryPool = "auto") -> np.ndarray:
    """As `query_vector`, of a batch of one clip."""
    vectors, row, starts = model.embed_clips(clips)
    power = model.window_power(clips, row, starts)
    return direction_of(vectors.numpy(), power, model.pool if pool == "auto" else pool)


def direction_of(vectors: np.ndarray, power: np.ndarray, pool: Readout) -> np.ndarray:
    """Vectors (windows, dim), each L2-normalised, pooled into one, float32 (dim,); power is (windows,)."""
    one = np.zeros(len(vectors), dtype=np.int64)
    return pool_windows(_unit(vectors).astype(np.float64), one, 1, pool, power)[0].astype(np.float32)


def search(archive: str | Path, query: np.ndarray, top: int = 10, once: bool = False) -> list[Hit]:
    """The windows of the highest cosine similarity, best first; memory does not grow with the archive.

    Args:
        archive: Parquet file made by `embed_files`.
        query: (dim,); its length does not matter.
        top: How many.
        once: Only the best window of each recording.

    Raises:
        SoundviewsError: the query is no vector of the archive's size with finite numbers, or the archive is damaged.
            Vectors in it that are not finite come last.
    """
    if top < 1:
        raise SoundviewsError(f"{option('top')} is how many to give, 1 or more, not {top}")
    dim = pq.read_schema(archive).field("vector").type.list_size
    if query.shape != (dim,):
        raise SoundviewsError(f"a query for {archive} has {dim} numbers, not {query.shape}")
    if not np.isfinite(query).all():
        raise SoundviewsError("the query's vector is not finite: the model's weights or its settings cannot be right")
    direction = _unit(query[None].astype(np.float32))[0]
    best: list[Hit] = []
    for batch in _batches(archive, dim):
        vectors = batch.column("vector").flatten().to_numpy(zero_copy_only=False).reshape(-1, dim)
        with np.errstate(invalid="ignore", over="ignore"):  # NaN sorts last
            similarity = vectors @ direction / np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
        rows = np.argsort(-similarity, kind="stable")
        if once:
            _, first = np.unique(np.asarray(batch.column("recording"))[rows], return_index=True)
            rows = rows[np.sort(first)]
        rows = rows[:top]
        best_rows = batch.select(["recording", "start", "end"]).take(pa.array(rows))
        values = (best_rows.column(name).to_pylist() for name in ("recording", "start", "end"))
        best += [Hit(*row) for row in zip(*values, similarity[rows].tolist(), strict=True)]
        best = sorted(best, key=_worse)
        if once:
            best = list({hit.recording: hit for hit in reversed(best)}.values())
            best = sorted(best, key=_worse)
        best = best[:top]
    return best


def _worse(hit: Hit) -> tuple[bool, float]:
    """What hits are sorted by, the best first; a similarity that is no number comes last."""
    return math.isnan(hit.similarity), -hit.similarity


def _batches(archive: str | Path, dim: int) -> Iterator[pa.RecordBatch]:
    """The archive's rows, checked, some at a time.

    Raises:
        SoundviewsError: it is damaged.
    """
    try:
        for batch in pq.ParquetFile(archive).iter_batches(batch_size=max(1, BATCH_BYTES // (4 * dim))):
            batch.validate(full=True)
            times = np.concatenate([batch.column(name).to_numpy(zero_copy_only=False) for name in ("start", "end")])
            if any(batch.column(name).null_count for name in COLUMNS) or not np.isfinite(times).all():
                raise SoundviewsError(f"{archive} is damaged: a row lacks its recording, start, end or vector")
            yield batch
    except (OSError, pa.ArrowException) as error:
        raise SoundviewsError(f"{archive} is damaged: {' '.join(str(error).split())}") from error


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
