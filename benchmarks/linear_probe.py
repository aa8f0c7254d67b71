"""A linear probe on 100,000 embeddings of 512 numbers and 50 classes, in full; and scikit-learn's classifiers."""

import time
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from torch import Tensor

from benchmarks._report import Section, run
from soundviews.audio.corpus import Corpus
from soundviews.cli.app import keep_freed_memory
from soundviews.evaluation import Task
from soundviews.evaluation.embeddings import CorpusEmbeddings
from soundviews.evaluation.protocols.linear import linear
from soundviews.features import Clips

SIZE, CLASSES, SPREAD = 512, 50, 4.0


class Kept:
    """Stands for a model whose embeddings exist already, so that it is never asked for any."""

    name, fingerprint, sample_rate, head = "kept", "", 16000, None

    def embed_clips(self, clips: Clips, space: str = "h") -> tuple[Tensor, Tensor, Tensor]:
        raise NotImplementedError


class KeptTask(Task):
    """Embeddings are not computed."""

    embeddings: CorpusEmbeddings

    def embed(self, model: Any, space: str = "h") -> CorpusEmbeddings:
        return self.embeddings


def made_up(clips: int, test: int) -> KeptTask:
    """Clips of one window around their class's direction, `test` further ones for the test; classes overlap."""
    rng = np.random.default_rng(0)
    count = clips + test
    targets = rng.integers(CLASSES, size=count)
    centres = rng.standard_normal((CLASSES, SIZE)).astype(np.float32) * np.float32(SPREAD / SIZE**0.5)
    vectors = rng.standard_normal((count, SIZE), dtype=np.float32) + centres[targets]
    names = [f"{number:02}" for number in range(CLASSES)]
    corpus = Corpus.from_columns(
        "/", [f"{i}.wav" for i in range(count)], labels=[[names[target]] for target in targets], vocabulary=names
    )
    none = np.empty(0, dtype=np.int64)
    task = KeptTask(corpus, np.arange(clips), none, np.arange(clips, count))
    task.embeddings = CorpusEmbeddings(vectors, np.arange(count), np.ones(count, dtype=bool))
    return task


def with_ours(task: KeptTask, style: str) -> dict[str, Any]:
    started = time.perf_counter()
    score = linear(Kept(), task, style=style)
    seconds, details = time.perf_counter() - started, score.details
    name = f"soundviews, style {style}: {details['epochs']} epochs, batches of {details['batch_size']}"
    return {"": name, "seconds": seconds, "accuracy": score.metrics["clip_accuracy"]}


def with_scikit_learn(task: KeptTask, name: str, classifier: Any) -> dict[str, Any]:
    vectors, targets = task.embeddings.vectors, task.corpus.targets()
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(vectors[task.train], targets[task.train])
    accuracy = float((classifier.predict(vectors[task.test]) == targets[task.test]).mean())
    seconds = time.perf_counter() - started
    return {"": f"scikit-learn, {name}", "seconds": seconds, "accuracy": accuracy}


def measured(clips: int, test: int) -> list[dict[str, Any]]:
    """A row for each classifier, with its time as a multiple of acl's."""
    task = made_up(clips, test)
    rows = [with_ours(task, style) for style in ("acl", "cola", "uclser")]
    theirs = {
        "LogisticRegression (L-BFGS, C = 0.1)": LogisticRegression(C=0.1, max_iter=2000),
        "SGDClassifier (log loss, 20 epochs at most)": SGDClassifier(loss="log_loss", max_iter=20, random_state=0),
    }
    rows += [with_scikit_learn(task, name, classifier) for name, classifier in theirs.items()]
    return [{**row, "of acl's time": row["seconds"] / rows[0]["seconds"]} for row in rows]


def main(miniature: bool = False) -> Section:
    clips, test = (500, 100) if miniature else (100_000, 10_000)
    keep_freed_memory()
    return Section(
        "Linear probe",
        measured(clips, test),
        f"{clips} embeddings of {SIZE} numbers, one a clip, in memory, {CLASSES} classes that overlap; each style runs "
        f"all of its epochs, and every classifier is judged on {test} other clips. Aim: under 60 s on 2 cores.",
    )


if __name__ == "__main__":
    run(main)
