"""A known corpus of three million rows: how long it takes to open and to use, and how much memory."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks._report import Section, empty_cache, run

CLASSES, BLOCK = 527, 100_000

# Runs alone, so that the peak is that of opening and nothing else.
PROBE = """
import time
began = time.perf_counter()
import json, resource, sys
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
from soundviews.datasets.opening import open_corpus
from soundviews.audio.loader import TrainingClips
from soundviews.audio.store import ClipStore
result = {}
def lap(name):
    global began
    result[name] = (time.perf_counter() - began, peak())
    began = time.perf_counter()
lap("import")
corpus = open_corpus(sys.argv[1])
corpus.clip(len(corpus) - 1)
lap("open, read one row")
clips = TrainingClips(ClipStore(corpus, 16000, keep=False), 256, 0, backgrounds=2)
clips.background_rows(5, clips.examples(5))
lap("shuffle, first batch's rows")
corpus.where(folds=[1, 2])
lap("select folds")
corpus.fingerprint
lap("fingerprint")
print(json.dumps(result))
"""


def write_manifest(folder: Path, rows: int) -> Path:
    """A Parquet manifest as archives have it; the rows are clips of one small set of files."""
    import pyarrow.parquet as pq

    files = [f"audio/{i % 1000:03}/recording with a name of usual length {i:07}.flac" for i in range(1000)]
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    path = folder / "manifest.parquet"
    rng = np.random.default_rng(0)
    schema = pa.schema(
        [("path", pa.string()), ("label", pa.string()), ("fold", pa.int32()), ("start", pa.float64()),
         ("end", pa.float64())]
    )  # fmt: skip
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, BLOCK):
            row = np.arange(first, min(first + BLOCK, rows))
            labels = rng.integers(0, CLASSES, (len(row), 2))
            columns = {
                "path": [files[i] for i in row % 1000],
                "label": [f"class {a};class {b}" for a, b in labels],
                "fold": row % 5 + 1,
                "start": (row // 1000) * 10.0,
                "end": (row // 1000) * 10.0 + 10.0,
            }
            writer.write_table(pa.table(columns, schema=schema))
    return path


def measure(path: Path) -> dict[str, tuple[float, float]]:
    done = subprocess.run([sys.executable, "-c", PROBE, str(path)], capture_output=True, text=True, check=True)
    result: dict[str, tuple[float, float]] = json.loads(done.stdout)
    return result


def main(miniature: bool = False) -> Section:
    clips = 1000 if miniature else 3_000_000
    with tempfile.TemporaryDirectory() as folder, empty_cache(folder):
        path = write_manifest(Path(folder), clips)
        first = measure(path)
        again = first if miniature else measure(path)
    rows = [{"step": "open for the first time", "seconds": first["open, read one row"][0],
             "peak GiB": first["open, read one row"][1]}]  # fmt: skip
    rows += [{"step": step, "seconds": seconds, "peak GiB": gib} for step, (seconds, gib) in again.items()]
    return Section(
        "Corpus", rows, f"{clips:,} clips of a Parquet manifest, two of {CLASSES} labels each, in a new process."
    )


if __name__ == "__main__":
    run(main)
