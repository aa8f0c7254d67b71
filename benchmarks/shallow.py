"""The shallow network at AudioSet's size: 2,000,000 x 128-d embeddings on disk, 527 classes; and scikit-learn's."""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier

from benchmarks._report import Section, run
from soundviews.evaluation.protocols.shallow import HIDDEN, Examples, clip_probabilities, shallow_network, train_epoch

SIZE, CLASSES, BATCH = 128, 527, 512
THEIR_BATCHES = 20


def made_up(directory: Path, clips: int, seed: int = 0) -> Examples:
    """Clips of one window and two labels each, the sum of their labels' directions and noise."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((CLASSES, SIZE)).astype(np.float32)
    labels = np.empty((clips, -(-CLASSES // 8)), dtype=np.uint8)
    with open(directory / "vectors.f32", "wb") as file:
        for first in range(0, clips, 10_000):
            classes = rng.integers(0, CLASSES, (min(10_000, clips - first), 2))
            truth = np.zeros((len(classes), CLASSES), dtype=bool)
            np.put_along_axis(truth, classes, True, axis=1)
            labels[first : first + len(classes)] = np.packbits(truth, axis=1)
            noise = rng.standard_normal((len(classes), SIZE), dtype=np.float32)
            (centres[classes].sum(axis=1) + 2 * noise).tofile(file)
    vectors = np.memmap(directory / "vectors.f32", dtype=np.float32, mode="c", shape=(clips, SIZE))
    return Examples(vectors, np.arange(clips), labels, CLASSES)


def memory(field: str) -> float:
    """A line of /proc/self/status in MiB: VmHWM, the most that was resident; RssAnon, what is held and on no disk."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def main(miniature: bool = False) -> Section:
    clips, test = (25 * BATCH, 500) if miniature else (2_000_000, 20_000)
    with tempfile.TemporaryDirectory() as directory:
        examples = made_up(Path(directory), clips)
        before, anonymous = memory("VmHWM"), memory("RssAnon")
        network = shallow_network(SIZE, CLASSES, seed=0)
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        started = time.perf_counter()
        rows = examples.rows(np.arange(clips))
        np.random.default_rng(0).shuffle(rows)
        train_epoch(network, optimizer, examples, rows, BATCH)
        ours = time.perf_counter() - started
        peak, grown = memory("VmHWM"), memory("RssAnon") - anonymous
        started = time.perf_counter()
        clip_probabilities(network, examples, np.arange(test))
        judging = time.perf_counter() - started

        theirs = MLPClassifier((HIDDEN,), alpha=0.0, batch_size=BATCH)
        batches = [np.sort(rows[i * BATCH : (i + 1) * BATCH]) for i in range(THEIR_BATCHES + 1)]
        inputs = [examples.inputs(batch).numpy() for batch in batches]
        targets = [examples.truth(examples.clip[batch]) for batch in batches]
        theirs.partial_fit(inputs[0], targets[0], classes=np.arange(CLASSES))
        started = time.perf_counter()
        for x, y in zip(inputs[1:], targets[1:], strict=True):
            theirs.partial_fit(x, y)
        each = (time.perf_counter() - started) / (THEIR_BATCHES * BATCH)
    file = clips * SIZE * 4 / 2**20
    return Section(
        "Shallow network",
        [
            {"": f"soundviews, one epoch of {clips} clips", "seconds": ours, "us a clip": ours / clips * 1e6},
            {
                "": f"scikit-learn, {THEIR_BATCHES} batches",
                "seconds": each * THEIR_BATCHES * BATCH,
                "us a clip": each * 1e6,
            },
            {
                "": f"soundviews, judging {test} clips",
                "seconds": judging,
                "us a clip": judging / test * 1e6,
            },
        ],
        f"{clips} embeddings of {SIZE} numbers in a memory-mapped file of {file:.0f} MiB, {CLASSES} classes, {HIDDEN} "
        f"hidden units, batches of {BATCH}; scikit-learn's MLPClassifier has the same layers and its batches ready in "
        f"memory. Peak resident memory {peak:.0f} MiB ({before:.0f} MiB before the epoch), among it the file's own "
        f"pages, which the system takes back when it needs them; held beside them: {grown:.0f} MiB more than before.",
    )


if __name__ == "__main__":
    run(main)
