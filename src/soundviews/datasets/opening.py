"""The one way to say "these recordings": a folder, a manifest, a dataset, files, built-in scenes, several of them."""

import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from soundviews.audio.corpus import Corpus
from soundviews.audio.joining import corpus_of_files, join
from soundviews.audio.manifest import MANIFESTS, read_manifest
from soundviews.audio.scan import scan_folder
from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.datasets import datasets
from soundviews.scenes.endless_corpus import EndlessCorpus, EndlessOptions
from soundviews.scenes.folder import scenes_corpus

Data = str | Path | Corpus | Sequence[str | Path | Corpus]


def open_corpus(data: Data, strict: bool = False, workers: int | None = None, progress: bool = True) -> Corpus:
    """Open whatever `data` names.

    Args:
        data: a folder (in the layout of a known dataset, or any: sub-folders are its classes), a manifest
            (.csv, .tsv, .parquet), an audio file, the built-in scenes (`scenes`, `scenes:clips=200,seed=0`),
            endless synthesised sound (`synthesis`, `synthesis:perturb=0.25`), a corpus, or a sequence of these, which
            become one corpus.
        strict: stop at the first recording that cannot be read instead of skipping it.
        workers: threads that read headers.
        progress: show a progress bar for long scans.

    Raises:
        SoundviewsError: nothing there, or nothing usable in it; says what was looked for.
    """
    if isinstance(data, Corpus):
        return data
    if isinstance(data, str | os.PathLike):
        corpus = _open(os.fspath(data), strict, workers, progress)
    elif not isinstance(data, Sequence):
        raise SoundviewsError(
            f"recordings are named by a path, a corpus or a list of them, not by {type(data).__name__}; samples are "
            "for Model.embed and Model.embed_batch"
        )
    else:
        if not data:
            raise SoundviewsError("no recordings are named: name files, folders or manifests")
        parts: list[Corpus] = []
        for files, group in groupby(data, key=_is_recording):
            if files:  # their headers are read together
                parts.append(corpus_of_files([str(path) for path in group], strict, workers, progress))
            else:
                parts += [open_corpus(part, strict, workers, progress) for part in group]
        if len(parts) > 1 and not all(part.on_disk for part in parts):
            raise SoundviewsError("endless synthesised sound and recordings are no corpus together: name one of them")
        corpus = join(parts) if parts[0].on_disk else parts[0]
    if not len(corpus) and corpus.skipped:
        path, reason = corpus.skipped[0]
        raise SoundviewsError(f"not one of the recordings could be read; the first, {path}: {reason}")
    return corpus


def open_recordings(data: Data, strict: bool = False, progress: bool = True) -> Corpus:
    """As `open_corpus`, for what needs the recordings themselves.

    Raises:
        SoundviewsError: also for sound that is nowhere on disk.
    """
    corpus = open_corpus(data, strict, progress=progress)
    if not corpus.on_disk:
        raise SoundviewsError("synthesis is there to learn from and has no recordings: name some, or scenes")
    return corpus


def _open(data: str, strict: bool, workers: int | None, progress: bool) -> Corpus:
    name, _, options = data.partition(":")
    if name == "scenes" and not os.path.exists(data):
        return _scenes(options)
    if name == "synthesis" and not os.path.exists(data):
        return EndlessCorpus(EndlessOptions.parse(_words(options)))
    path = Path(data).expanduser()
    if path.is_file() and path.suffix.lower() in MANIFESTS:
        return read_manifest(path.absolute(), strict, workers, progress)
    if _is_recording(path):
        return corpus_of_files([str(path)], strict, workers, progress)
    if not path.is_dir():
        raise SoundviewsError(
            f"no corpus at {path}: looked for a folder or a manifest ({', '.join(sorted(MANIFESTS))}) or a recording "
            f"of that name in {Path.cwd()}; 'scenes' names the built-in scenes, 'synthesis' endless synthesised sound"
        )
    root = path.absolute()
    corpus = _dataset(root)
    if corpus is None:
        return scan_folder(root, strict, workers, progress)
    if strict and corpus.skipped:
        raise UnreadableClip(f"{corpus.skipped[0].path}: {corpus.skipped[0].reason}")
    return corpus


def _is_recording(part: str | Path | Corpus) -> bool:
    if isinstance(part, Corpus):
        return False
    path = Path(part).expanduser()
    if path.suffix.lower() in MANIFESTS and path.is_file():
        return False
    return path.exists() and not path.is_dir()  # what is no file, as a pipe, is named among the skipped


def _dataset(root: Path) -> Corpus | None:
    """The corpus of a known dataset's official layout, if `root` has one."""
    for name in datasets.names():
        dataset: Any = datasets.get(name)
        if dataset.matches(root):
            corpus: Corpus = dataset.read(root)
            return corpus
    return None


def _words(options: str) -> dict[str, str]:
    parts = [part.partition("=") for part in options.split(",") if part.strip()]
    return {name.strip(): value.strip() for name, _, value in parts}


def _scenes(options: str) -> Corpus:
    corpus: Corpus = scenes_corpus(_words(options))
    return corpus
