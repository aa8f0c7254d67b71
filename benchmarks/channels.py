"""What a separated channel costs: made in the training step, or prepared once and read."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks._report import Section, empty_cache, run
from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import pad, training_loader
from soundviews.audio.store import ClipStore
from soundviews.scenes.folder import SceneOptions, write_scenes
from soundviews.separation.draw import Wanted
from soundviews.separation.on_the_fly import separate_wanted
from soundviews.separation.prepared import DrawnChannels, PreparedChannels
from soundviews.separation.preparing import prepare
from soundviews.separation.processor import Processor
from soundviews.separation.tdcn import TDCN

RATE = 16000
SMALL: dict[str, Any] = {
    "window": 80,
    "hop": 40,
    "filters": 128,
    "bottleneck": 64,
    "width": 128,
    "repeats": 2,
    "blocks": 7,
}


def untrained(miniature: bool) -> list[Processor]:
    torch.manual_seed(0)
    networks = {"small": TDCN(**SMALL)}
    if not miniature:
        networks |= {"published": TDCN(), "published, M=4": TDCN(4)}
    return [
        Processor(name, 0, RATE, network.sources, name.replace(", ", "-"), network.eval())
        for name, network in networks.items()
    ]


def draw(step: int, rank: int, batch: int) -> list[Wanted]:
    """One channel for each clip, drawn uniformly."""
    rng = np.random.default_rng((step, rank))
    return [Wanted(np.zeros(batch, np.int64), rng.random((batch, 2)), False, False, False)]


def elapsed(work: Callable[[], object], device: str = "cpu") -> float:
    started = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def on_the_fly(processor: Processor, corpus: Corpus, device: str) -> float:
    """Seconds a clip; the first call is not counted."""
    store = ClipStore(corpus, RATE)
    _, samples, lengths, *_ = pad(range(len(corpus)), [store[row] for row in range(len(corpus))])
    samples, lengths, wanted = samples.to(device), lengths.to(device), draw(0, 0, len(corpus))
    processor.to(device)
    separate_wanted([processor], samples, lengths, wanted)
    return elapsed(lambda: separate_wanted([processor], samples, lengths, wanted), device) / len(corpus)


def reading(corpus: Corpus, channels: DrawnChannels | None) -> float:
    """Seconds a clip of one epoch in one process, the clips themselves decoded and kept before."""
    batch = min(len(corpus), 8)
    loader = training_loader(corpus, RATE, batch, 0, 0, len(corpus) // batch, 0, channels=channels)
    list(loader)
    return min(elapsed(lambda: list(loader)) for _ in range(3)) / (len(corpus) // batch * batch)


def measure(processor: Processor, corpus: Corpus, hours: float, folder: Path, device: str) -> dict[str, object]:
    made = elapsed(lambda: prepare(corpus, [processor], folder, device=device)) / len(corpus)
    result = prepare(corpus, [processor], folder)
    source = DrawnChannels(PreparedChannels(folder, corpus, [processor]), draw)
    return {
        "processor": processor.name,
        "million parameters": sum(p.numel() for p in processor.network.parameters()) / 1e6,
        "device": device,
        "on the fly, s a clip": on_the_fly(processor, corpus, device),
        "prepared, s a clip, once": made,
        "MB an hour of audio": result.size / 1e6 / hours,
        "loader without channels, ms a clip": 1000 * reading(corpus, None),
        "loader with a channel, ms a clip": 1000 * reading(corpus, source),
    }


def main(miniature: bool = False) -> Section:
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    clips, seconds = (2, 1) if miniature else (64 if "cuda" in devices else 16, 10)
    with tempfile.TemporaryDirectory() as name, empty_cache(name):
        options = SceneOptions(clips, min_seconds=seconds, max_seconds=seconds, sources=False)
        corpus = write_scenes(Path(name) / "scenes", options, progress=False).cut(seconds)
        hours = clips * seconds / 3600
        rows = [
            measure(processor, corpus, hours, Path(name) / f"channels-{device}", device)
            for processor in untrained(miniature)
            for device in devices
        ]
    note = (
        f"{clips} built-in scenes of {seconds} s at {RATE} Hz, {torch.get_num_threads()} threads; "
        "one channel of one processor for each clip. All channels of a processor are prepared, as 16-bit FLAC, and "
        "one of them is read for each example; on the fly a separation makes them all for one to be used."
    )
    return Section("Separated channels", rows, note)


if __name__ == "__main__":
    run(main)
