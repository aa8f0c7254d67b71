"""What a person calls a corpus to a corpus: a folder, a manifest, a dataset's layout, the built-in scenes."""

import os
from pathlib import Path
from typing import Any

from soundviews.audio.corpus import Corpus
from soundviews.audio.manifest import MANIFESTS, read_manifest
from soundviews.audio.scan import scan_folder
from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.datasets import datasets
from soundviews.scenes.folder import scenes_corpus


def open_corpus(spec: str | Path, strict: bool = False, workers: int | None = None, progress: bool = True) -> Corpus:
    """Open whatever `spec` names.

    Args:
        spec: a folder (in the layout of a known dataset, or any: sub-folders are its classes), a manifest
            (.csv, .tsv, .parquet), or the built-in scenes (`scenes`, `scenes:clips=200,seed=0`).
        strict: stop at the first recording that cannot be read instead of skipping it.
        workers: threads that read headers.
        progress: show a progress bar for long scans.

    Raises:
        SoundviewsError: nothing there, or nothing usable in it; says what was looked for.
    """
    spec = str(spec)
    name, _, options = spec.partition(":")
    if name == "scenes" and not os.path.exists(spec):
        return _scenes(options)
    path = Path(spec).expanduser()
    if path.is_file():
        if path.suffix.lower() not in MANIFESTS:
            raise SoundviewsError(
                f"{path} is neither a folder nor a manifest ({', '.join(sorted(MANIFESTS))}); "
                "for a single recording, name the folder it is in"
            )
        return read_manifest(path.absolute(), strict, workers, progress)
    if not path.is_dir():
        raise SoundviewsError(
            f"no corpus at {path}: looked for a folder or a manifest ({', '.join(sorted(MANIFESTS))}) "
            f"of that name in {Path.cwd()}; 'scenes' names the built-in scenes"
        )
    root = path.absolute()
    corpus = _dataset(root)
    if corpus is None:
        return scan_folder(root, strict, workers, progress)
    if strict and corpus.skipped:
        raise UnreadableClip(f"{corpus.skipped[0].path}: {corpus.skipped[0].reason}")
    return corpus


def _dataset(root: Path) -> Corpus | None:
    """The corpus of a known dataset's official layout, if `root` has one."""
    for name in datasets.names():
        dataset: Any = datasets.get(name)
        if dataset.matches(root):
            corpus: Corpus = dataset.read(root)
            return corpus
    return None


def _scenes(options: str) -> Corpus:
    parts = [part.partition("=") for part in options.split(",") if part.strip()]
    corpus: Corpus = scenes_corpus({name.strip(): value.strip() for name, _, value in parts})
    return corpus
