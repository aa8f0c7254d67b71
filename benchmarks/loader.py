"""Loader with 2 workers against a bare decode-and-resample loop on 2 processes, on the same Ogg files."""

import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from benchmarks._report import Section, empty_cache, run
from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import training_loader
from soundviews.datasets.opening import open_corpus

RATE, PROCESSES = 16000, 2


def generated(folder: Path, files: int) -> None:
    """Coloured noise in bursts, 5 s of 44.1 kHz Vorbis each."""
    for i in range(files):
        rng = np.random.default_rng(i)
        noise = np.convolve(rng.standard_normal(5 * 44100), np.hanning(12) / 6, "same")
        envelope = np.interp(np.arange(len(noise)), np.arange(0, len(noise), 8820), rng.random(25))
        soundfile.write(folder / f"{i:04}.ogg", 0.2 * noise * envelope, 44100)


def bare(paths: Sequence[str]) -> int:
    """What cannot be done without: decode, mix to mono, resample."""
    total = 0
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        total += len(soxr.resample(samples.mean(axis=1), rate, RATE, quality="HQ"))
    return total


def time_bare(pool: ProcessPoolExecutor, paths: list[str]) -> float:
    begin = time.perf_counter()
    list(pool.map(bare, [paths[i::PROCESSES] for i in range(PROCESSES)]))
    return len(paths) / (time.perf_counter() - begin)


def time_loader(corpus: Corpus, batch: int, store: bool) -> float:
    """Clips a second over one epoch, the start of the workers included."""
    steps = len(corpus) // batch
    loader = training_loader(corpus, RATE, batch, 0, 0, steps, PROCESSES, store=store)
    begin = time.perf_counter()
    for _ in loader:
        pass
    return steps * batch / (time.perf_counter() - begin)


def main(miniature: bool = False) -> Section:
    torch.set_num_threads(1)
    root = None if miniature else os.environ.get("SOUNDVIEWS_ESC50")
    files, batch, count = (16, 4, 1) if miniature else (400, 32, 3)
    with tempfile.TemporaryDirectory() as folder, empty_cache(folder):
        if root is None:
            generated(Path(folder), files)
        corpus = open_corpus(root or folder, progress=False)
        paths = [corpus.clip(i).path for i in range(len(corpus))]
        with ProcessPoolExecutor(PROCESSES) as pool:
            time_bare(pool, paths)
            # In turn, and the median of each: other work on the machine hits all alike.
            rounds = [
                (time_bare(pool, paths), time_loader(corpus, batch, False), time_bare(pool, paths))
                for _ in range(count)
            ]
        loop = float(np.median([(before + after) / 2 for before, _, after in rounds]))
        ratio = float(np.median([2 * loader / (before + after) for before, loader, after in rounds]))
        first, later = time_loader(corpus, batch, True), time_loader(corpus, batch, True)
    what = "ESC-50" if root else "generated"
    rows = [
        {"loop": "bare soundfile + soxr", "clips a second": loop, "of the bare loop": 1.0},
        {"loop": "training_loader, nothing kept", "clips a second": loop * ratio, "of the bare loop": ratio},
        {"loop": "training_loader, first epoch", "clips a second": first, "of the bare loop": first / loop},
        {"loop": "training_loader, later epochs", "clips a second": later, "of the bare loop": later / loop},
    ]
    note = (
        f"{len(paths)} {what} recordings (5 s, 44.1 kHz Ogg Vorbis) to {RATE} Hz mono, {PROCESSES} processes, "
        f"batches of {batch}; median of {count} rounds, each between two runs of the bare loop."
    )
    return Section("Loader", rows, note)


if __name__ == "__main__":
    run(main)
