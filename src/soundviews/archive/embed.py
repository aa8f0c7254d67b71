"""Embed recordings into one Parquet file, so that an interruption costs less than a minute."""

import csv
import json
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel

from soundviews.archive.blocks import BLOCK_SECONDS, embed_in_blocks
from soundviews.archive.parts import METADATA_KEY, DamagedPart, Parts
from soundviews.audio.corpus import Corpus, Skipped
from soundviews.audio.joining import is_text
from soundviews.core.durations import said_duration
from soundviews.core.errors import SoundviewsError, option, words
from soundviews.core.files import write_text_whole, written_whole
from soundviews.core.locks import locked
from soundviews.core.pages import parse_json
from soundviews.core.progress import bar
from soundviews.model import Model

COLUMNS = {"recording": pa.string(), "start": pa.float64(), "end": pa.float64(), "vector": None}
"""An archive's columns and their types; `vector` is a list of float32 of the embedding's size."""


class _BundleNamed(BaseModel):
    name: str
    hash: str
    path: str


class _Plan(BaseModel):
    bundle: _BundleNamed
    root: str
    inputs: str
    recordings: int
    block_seconds: float
    windows: int | None = None


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Embedded:
    """What a finished file holds.

    recordings: how many were named, skipped: those that could not be read, or not wholly, with paths from the root in
    the file's metadata. already_complete: an earlier call had made all of it.
    """

    path: Path
    recordings: int
    windows: int
    skipped: list[Skipped]
    already_complete: bool = False


def embed_files(
    model: Model,
    corpus: Corpus,
    out: str | Path,
    bundle_path: str | Path = "",
    workers: int = 2,
    block_seconds: float = BLOCK_SECONDS,
    strict: bool = False,
    progress: bool = False,
    wait: bool = False,
) -> Embedded:
    """Embed every window of every clip of a corpus; go on where an earlier call was interrupted.

    What is done is kept in `OUT.parts/`, a Parquet file for every 10 seconds of work, each written whole, that says
    from where to where it reaches. In the end they are joined into `out` and removed. Recordings that cannot be read
    are named in `OUT.skipped.csv`. One process at a time writes `out`.

    Args:
        model: A loaded bundle.
        corpus: From `open_corpus`; its clips may be recordings of any length.
        out: Parquet file: recording (from the corpus's root, which is in the metadata), start, end (s), vector
            (float32).
        bundle_path: Where the model came from, kept so that `search` finds it.
        workers: Threads that decode ahead.
        block_seconds: Long recordings are read in blocks of this length.
        strict: Stop at the first recording that cannot be read.
        progress: Show a bar.
        wait: Wait for another process that writes `out`.

    Raises:
        SoundviewsError: where `out` or its parts belong to another bundle or other recordings, another process writes
            it, or on a full disk.
    """
    out = _writable(Path(out))
    plan = _plan(model, corpus, bundle_path, block_seconds)
    if out.exists():
        return _complete(out, plan, corpus)
    with locked(out, wait=wait):
        if out.exists():  # whom this one has waited for has written it
            return _complete(out, plan, corpus)
        try:
            _embed_all(model, corpus, out, plan, workers, strict, progress)
        except OSError as error:
            folder = _parts_folder(out)
            kept = f". What was done is kept in {folder}; the same command goes on" if folder.is_dir() else ""
            raise SoundviewsError(f"{error}{kept}") from error
    return _summary(out)


def _writable(out: Path) -> Path:
    """Where the file is written, links followed. What can never be written fails now, not after hours of work."""
    if out.is_symlink():
        out = Path(os.path.realpath(out))
    if not is_text(str(out)):
        raise SoundviewsError(f"{str(out)!r} is not valid UTF-8: name another {option('out')}")
    if out.is_dir():
        raise SoundviewsError(f"{out} is a folder: {option('out')} is the Parquet file to write")
    try:
        os.path.lexists(out) or os.stat(_skipped_file(out))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise SoundviewsError(f"{out}: {error.strerror}: name another {option('out')}") from error
    return out


def _complete(out: Path, plan: dict[str, Any], corpus: Corpus) -> Embedded:
    """What is there already, if it is what is asked for."""
    metadata = read_metadata(out)
    _check_same(plan, corpus, metadata, out)
    rows = pq.read_metadata(out).num_rows
    if not rows or rows != (metadata.get("windows") or rows):  # earlier versions do not say how many there were
        raise SoundviewsError(f"{out} has {rows or 'no'} rows, and not all of its windows: delete it to start anew")
    shutil.rmtree(_parts_folder(out), ignore_errors=True)
    return _summary(out, already_complete=True)


def _embed_all(
    model: Model, corpus: Corpus, out: Path, plan: dict[str, Any], workers: int, strict: bool, progress: bool
) -> None:
    """Make the parts that are not there, and join them; once more if one of them turns out to be damaged."""
    for again in (True, False):
        parts = _open_parts(_parts_folder(out), plan, corpus, model.embedding_size)
        _embed_rest(parts, model, corpus, plan["block_seconds"], workers, strict, progress)
        if not parts.windows:
            shutil.rmtree(parts.folder)
            raise SoundviewsError(_nothing_read(parts.skipped))
        _write_skipped(_skipped_file(out), parts.skipped)
        try:
            parts.join(out, plan | {"skipped": len(parts.skipped), "windows": parts.windows, "version": 1})
            return
        except DamagedPart as error:
            if not again:
                raise SoundviewsError(f"{error}. The same command makes that part anew") from error


def _embed_rest(
    parts: Parts, model: Model, corpus: Corpus, block_seconds: float, workers: int, strict: bool, progress: bool
) -> None:
    """Embed what the parts do not reach."""
    if parts.cursor == (0, 0):
        parts.skipped.extend(Skipped(corpus.relative(path), reason) for path, reason in corpus.skipped)
    behind = audio_behind(corpus, progress)
    with bar("embedding", len(corpus), "recordings", progress, audio_total=behind(len(corpus))) as advance:
        advance.skip(parts.done, behind(parts.done))
        for pieces in embed_in_blocks(model, corpus, parts.cursor, workers, block_seconds):
            parts.add(pieces, corpus)
            if strict and parts.skipped:
                raise SoundviewsError(f"{parts.skipped[0].path}: {parts.skipped[0].reason}")
            advance.reach(parts.done, behind(parts.done), f"{parts.windows:,} windows")
    parts.flush()


def read_metadata(path: str | Path) -> dict[str, Any]:
    """What an archive file says of itself: bundle {name, hash, path}, root, inputs, seconds of its windows, ...

    Raises:
        SoundviewsError: where it was not made by `soundviews embed`.
    """
    if not Path(path).is_file():
        raise SoundviewsError(f"there is no file {path}")
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise SoundviewsError(f"{path} is not a Parquet file, or damaged: {' '.join(str(error).split())}") from error
    metadata = _read_plan((schema.metadata or {}).get(METADATA_KEY, b""))
    if metadata is None or not _has_columns(schema):
        raise SoundviewsError(f"{path} was not made by {words('soundviews embed', 'soundviews.embed_archive')}")
    return metadata


def _has_columns(schema: pa.Schema) -> bool:
    """Whether a file's columns are those of an archive, by name and type."""
    types = dict(zip(schema.names, schema.types, strict=True))
    vector = types.get("vector")
    return (
        len(types) == len(schema.names)
        and all(types.get(name) == kind for name, kind in COLUMNS.items() if kind is not None)
        and isinstance(vector, pa.FixedSizeListType)
        and vector.value_type == pa.float32()
        and vector.list_size > 0
    )


def audio_behind(corpus: Corpus, progress: bool) -> Callable[[float], float]:
    """From clips done, such as 2.5 of them, to seconds of audio; clips that cannot be read have none."""
    if not progress:
        return lambda done: 0.0
    recordings, _ = corpus.recording_seconds(progress=progress)
    seconds = np.nan_to_num(np.fmin(corpus.column("end"), recordings) - corpus.column("start")).clip(min=0)
    behind = np.concatenate([[0.0], np.cumsum(seconds)])
    logger.info(
        "embedding %s recordings, %s of audio",
        f"{pc.count_distinct(corpus.table['path']).as_py():,}",
        said_duration(float(behind[-1])),
    )
    return lambda done: float(np.interp(done, np.arange(len(behind)), behind))


def _plan(model: Model, corpus: Corpus, bundle_path: str | Path, block_seconds: float) -> dict[str, Any]:
    return {
        "bundle": {
            "name": model.name,
            "hash": model.fingerprint,
            "path": str(Path(bundle_path).absolute()) if bundle_path else "",
        },
        "root": corpus.root,
        "inputs": corpus.fingerprint,
        "recordings": pc.count_distinct(corpus.table["path"]).as_py(),
        "sample_rate": model.sample_rate,
        "window_seconds": model.seconds,
        "hop_seconds": model.hop_seconds,
        "block_seconds": block_seconds,
    }


def _check_same(plan: dict[str, Any], corpus: Corpus, earlier: dict[str, Any], path: Path) -> None:
    """Refuse to mix the vectors of two bundles or two sets of recordings in one file."""
    mine, theirs = plan["bundle"], earlier["bundle"]
    if mine["hash"] != theirs["hash"]:
        raise SoundviewsError(
            f"{path} holds embeddings of another bundle ({theirs['name']}, {theirs['hash']}), not of "
            f"{mine['name']} ({mine['hash']}): name another {option('out')}, or delete it to start anew"
        )
    if not corpus.is_known_as(earlier["inputs"]) or plan["block_seconds"] != earlier["block_seconds"]:
        raise SoundviewsError(
            f"{path} was made from other recordings ({earlier['recordings']} under {earlier['root']}; here "
            f"{plan['recordings']} under {plan['root']}), or they have changed since: name another {option('out')}, or "
            "delete it to start anew"
        )


def _read_plan(text: str | bytes) -> dict[str, Any] | None:
    """What an archive or its parts were made of; None where the text does not say it."""
    try:
        plan: dict[str, Any] = parse_json(text)
        _Plan.model_validate(plan)  # which raises a ValueError, too
    except ValueError:
        return None
    return plan


def _open_parts(folder: Path, plan: dict[str, Any], corpus: Corpus, dim: int) -> Parts:
    """The parts written for the same plan, or none yet."""
    page = folder / "plan.json"
    earlier = _read_plan(page.read_bytes()) if page.is_file() else None
    if earlier is not None:
        _check_same(plan, corpus, earlier, folder)
    else:
        if any(folder.glob("part-*")):
            logger.warning("%s does not say what its parts are of: they are made anew", folder)
        shutil.rmtree(folder, ignore_errors=True)
        write_text_whole(page, json.dumps(plan, indent=2))
    return Parts.open(folder, dim)


def _parts_folder(out: Path) -> Path:
    return Path(f"{out}.parts")


def _skipped_file(out: Path) -> Path:
    return Path(f"{out}.skipped.csv")


def _write_skipped(path: Path, skipped: list[Skipped]) -> None:
    if not skipped:
        path.unlink(missing_ok=True)
        return
    with written_whole(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([Skipped._fields, *skipped])


def _summary(out: Path, already_complete: bool = False) -> Embedded:
    skipped_file = _skipped_file(out)
    skipped: list[Skipped] = []
    if skipped_file.exists():
        with open(skipped_file, newline="", encoding="utf-8") as file:
            skipped = [Skipped(*row) for row in list(csv.reader(file))[1:]]
    metadata = read_metadata(out)
    return Embedded(out, metadata["recordings"], pq.read_metadata(out).num_rows, skipped, already_complete)


def _nothing_read(skipped: list[Skipped]) -> str:
    first = f"; the first, {skipped[0].path}: {skipped[0].reason}" if skipped else ""
    return f"not one of the recordings could be read{first}"
