"""Embed recordings into one Parquet file, so that an interruption costs less than a minute."""

import csv
import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from soundviews.archive.blocks import BLOCK_SECONDS, embed_in_blocks
from soundviews.archive.parts import METADATA_KEY, Parts
from soundviews.audio.corpus import Corpus, Skipped
from soundviews.core.durations import said_duration
from soundviews.core.errors import SoundviewsError, option, words
from soundviews.core.files import write_text_whole, written_whole
from soundviews.core.progress import bar
from soundviews.model import Model

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
) -> Embedded:
    """Embed every window of every clip of a corpus; go on where an earlier call was interrupted.

    What is done is kept in `OUT.parts/`, a Parquet file for every 10 seconds of work, each written whole. The last
    of them says how far it reaches. In the end they are joined into `out` and removed. Recordings that cannot be read
    are named in `OUT.skipped.csv`.

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

    Raises:
        SoundviewsError: where `out` or its parts belong to another bundle or other recordings, or on a full disk.
    """
    out = Path(out)
    plan = _plan(model, corpus, bundle_path, block_seconds)
    folder = Path(f"{out}.parts")
    if out.is_dir():
        raise SoundviewsError(f"{out} is a folder: {option('out')} is the Parquet file to write")
    if out.exists():
        _check_same(plan, read_metadata(out), out)
        shutil.rmtree(folder, ignore_errors=True)
        return _summary(out, already_complete=True)
    try:
        parts = _open_parts(folder, plan, model.embedding_size)
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
        if not parts.windows:
            shutil.rmtree(folder)
            raise SoundviewsError(_nothing_read(parts.skipped))
        _write_skipped(Path(f"{out}.skipped.csv"), parts.skipped)
        parts.join(out, plan | {"skipped": len(parts.skipped), "version": 1})
    except OSError as error:
        kept = f". What was done is kept in {folder}; the same command goes on" if folder.is_dir() else ""
        raise SoundviewsError(f"{error}{kept}") from error
    return _summary(out)


def read_metadata(path: str | Path) -> dict[str, Any]:
    """What an archive file says of itself: bundle {name, hash, path}, root, inputs, seconds of its windows, ...

    Raises:
        SoundviewsError: where it was not made by `soundviews embed`.
    """
    if not Path(path).is_file():
        raise SoundviewsError(f"there is no file {path}")
    try:
        text = (pq.read_schema(path).metadata or {}).get(METADATA_KEY)
    except pa.ArrowInvalid as error:
        raise SoundviewsError(f"{path} is not a Parquet file: {error}") from error
    if text is None:
        raise SoundviewsError(f"{path} was not made by {words('soundviews embed', 'soundviews.embed_archive')}")
    metadata: dict[str, Any] = json.loads(text)
    return metadata


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


def _check_same(plan: dict[str, Any], earlier: dict[str, Any], path: Path) -> None:
    """Refuse to mix the vectors of two bundles or two sets of recordings in one file."""
    mine, theirs = plan["bundle"], earlier["bundle"]
    if mine["hash"] != theirs["hash"]:
        raise SoundviewsError(
            f"{path} holds embeddings of another bundle ({theirs['name']}, {theirs['hash']}), not of "
            f"{mine['name']} ({mine['hash']}): name another {option('out')}, or delete it to start anew"
        )
    if plan["inputs"] != earlier["inputs"] or plan["block_seconds"] != earlier["block_seconds"]:
        raise SoundviewsError(
            f"{path} was made from other recordings ({earlier['recordings']} under {earlier['root']}; here "
            f"{plan['recordings']} under {plan['root']}), or they have changed since: name another {option('out')}, or "
            "delete it to start anew"
        )


def _open_parts(folder: Path, plan: dict[str, Any], dim: int) -> Parts:
    """The parts written for the same plan, or none yet."""
    page = folder / "plan.json"
    if page.exists():
        _check_same(plan, json.loads(page.read_text(encoding="utf-8")), folder)
    else:
        write_text_whole(page, json.dumps(plan, indent=2))
    return Parts.open(folder, dim)


def _write_skipped(path: Path, skipped: list[Skipped]) -> None:
    if not skipped:
        path.unlink(missing_ok=True)
        return
    with written_whole(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([Skipped._fields, *skipped])


def _summary(out: Path, already_complete: bool = False) -> Embedded:
    skipped_file = Path(f"{out}.skipped.csv")
    skipped: list[Skipped] = []
    if skipped_file.exists():
        with open(skipped_file, newline="", encoding="utf-8") as file:
            skipped = [Skipped(*row) for row in list(csv.reader(file))[1:]]
    metadata = read_metadata(out)
    return Embedded(out, metadata["recordings"], pq.read_metadata(out).num_rows, skipped, already_complete)


def _nothing_read(skipped: list[Skipped]) -> str:
    first = f"; the first, {skipped[0].path}: {skipped[0].reason}" if skipped else ""
    return f"not one of the recordings could be read{first}"
