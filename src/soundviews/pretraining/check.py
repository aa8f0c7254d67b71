"""Did it work? An answer without labels: does the encoder tell which two halves belong to one recording?

The first half of each recording is embedded, and among the second halves of all of them the nearest is looked for; so
do log-mel statistics, on the same clips. The recordings are some of those that the encoder learns from, unless
`training.held_out` leaves some out of the training.
"""

import json
import logging
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from numpy.typing import NDArray

from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import evaluation_batches
from soundviews.core.files import write_text_whole
from soundviews.core.randomness import hashed_seed
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.embeddings import Embeds, clip_means
from soundviews.features import FrontEnd
from soundviews.features.patches import padded_together
from soundviews.model import Model
from soundviews.recipes.schema import Recipe

from .export import model_of
from .health import collapse_of
from .module import Pretraining

MOST_CLIPS, FEWEST_CLIPS = 200, 20
SHORTENED = 50  # clips that the last check keeps, however short the training is
MOST_SECONDS = 10.0  # of each recording
SHARE = 0.015  # of the work of a training that its checks may take; reading the clips comes on top
BACKWARD = 2  # passes that a backward pass takes
CERTAIN = 0.05
BY_CHANCE = 5  # found by an encoder that tells nothing apart in less than one of a thousand checks

Halves = tuple[NDArray[np.float32], NDArray[np.float32]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """What the check found, as `check.json` has it.

    clips: Recordings in the check. held_out: whether the encoder has not learned from them. found, statistics: of how
    many the other half is nearest, by the encoder and by log-mel statistics. chance: of how many it would be by chance.
    p: of the two being alike, by a sign test on the recordings that one of them finds. collapse: what is wrong with
    embeddings that are all alike; "" if they are not.
    """

    step: int
    clips: int
    held_out: bool
    found: int
    statistics: int
    p: float
    collapse: str
    chance: int = 1

    @property
    def sentence(self) -> str:
        """The answer."""
        kind = "that it has not learned from" if self.held_out else "that it has learned from"
        found = (
            f"finds the other half of a recording {kind} in {self.found} of {self.clips}; "
            f"spectrogram statistics in {self.statistics}; chance {self.chance}"
        )
        if self.collapse:
            return f"{found}. {self.collapse[0].upper()}{self.collapse[1:]}"
        if self.p >= CERTAIN:
            return f"{found}. No clear difference from the statistics"
        if self.found < self.statistics:
            return f"{found}. The statistics are ahead: train longer, or with more recordings"
        return found

    def write(self, run: Path) -> None:
        write_text_whole(run / "check.json", json.dumps(asdict(self) | {"sentence": self.sentence}, indent=2) + "\n")


class HalvesCheck:
    """The check of one run.

    Args:
        log_mel: The recipe's front-end.
        corpus: What the encoder learns from.
        held_out: What it does not learn from, and is checked on if there is any.
        steps: Of the training; they say how many clips the checks may have.

    Attributes:
        clips: Those of the check; None where too few are long enough for a window in each half.
        at: Steps after which there is one, beside the one at the end.
    """

    def __init__(self, recipe: Recipe, log_mel: FrontEnd, corpus: Corpus, held_out: Corpus, steps: int) -> None:
        self.rate, self.held_out = recipe.audio.sample_rate, len(held_out) > 0
        windows, training = recipe.inference.windows, recipe.training
        window = windows.size * (log_mel.hop_length if windows.unit == "spectrogram" else 1) / self.rate
        work = steps * training.accumulate * training.batch_size * 2 * (1 + BACKWARD)
        affordable = int(SHARE * work * window / MOST_SECONDS)
        count = min(MOST_CLIPS, max(affordable, SHORTENED))
        self.clips = _clips(held_out if self.held_out else corpus, training.seed, window, count)
        checks = 0 if self.clips is None else affordable // len(self.clips)
        self.at = {4: (1, 2, 3), 3: (1, 2), 2: (2,)}.get(min(checks, 4), ())
        self.at = tuple(steps * quarter // 4 for quarter in self.at)
        self._statistics: NDArray[np.bool_] | None = None

    def __call__(self, model: Model, step: int) -> Check:
        """Check the encoder after so many steps."""
        assert self.clips is not None
        with torch.random.fork_rng(devices=[]):  # the loader draws a seed, which decides nothing
            if self._statistics is None:
                self._statistics = is_found(*embed_halves(LogMelStatistics(self.rate), self.clips))
            first, second = embed_halves(_side_by_side(model), self.clips)
        found, by_statistics = is_found(first, second), self._statistics
        return Check(
            step=step,
            clips=len(found),
            held_out=self.held_out,
            found=int(found.sum()),
            statistics=int(by_statistics.sum()),
            p=sign_test(int((found & ~by_statistics).sum()), int((by_statistics & ~found).sum())),
            collapse=collapse_of(torch.from_numpy(first)) if found.sum() <= BY_CHANCE else "",
        )


def hold_out(corpus: Corpus, share: float, seed: int, needed: int) -> tuple[Corpus, Corpus]:
    """Clips to learn from, and those of this share of the recordings, at most MOST_CLIPS of them.

    None are held out where fewer clips than `needed` would be left to learn from.
    """
    recordings, index = np.unique(np.asarray(corpus.table["path"].to_pylist(), dtype=object), return_inverse=True)
    count = min(round(share * len(recordings)), MOST_CLIPS)
    chosen = np.zeros(len(recordings), dtype=bool)
    chosen[np.random.default_rng(hashed_seed(seed, "held out")).permutation(len(recordings))[:count]] = True
    if not count or (~chosen[index]).sum() < needed:
        return corpus, corpus.select([])
    return corpus.select(~chosen[index]), corpus.select(chosen[index])


def _side_by_side(model: Model) -> Model:
    """The model with windows that do not overlap, which take half the time."""
    return model.replace(windows=model.config.windows.model_copy(update={"hop": model.config.windows.size}))


def _clips(corpus: Corpus, seed: int, window: float, count: int) -> Corpus | None:
    """Up to `count` recordings, at most MOST_SECONDS of each, that are two windows long."""
    if not corpus.on_disk:
        return None
    start = corpus.column("start")
    end = np.fmin(np.fmin(corpus.column("end"), corpus.column("duration")), start + MOST_SECONDS)
    order = np.random.default_rng(hashed_seed(seed, "check")).permutation(len(corpus))
    rows = order[(end - start)[order] >= 2 * window]
    paths = corpus.table["path"].take(rows).to_pylist()
    _, first = np.unique(np.asarray(paths, dtype=object), return_index=True) if paths else ((), np.zeros(0, np.int64))
    chosen = np.sort(np.asarray(first, dtype=np.int64))[:count]
    if len(chosen) < FEWEST_CLIPS:
        return None
    names, rows = [paths[index] for index in chosen], rows[chosen]
    return Corpus.from_columns(corpus.root, names, start[rows].tolist(), end[rows].tolist())


class ChecksOnTheWay(pl.Callback):
    """Makes the check after some of the steps, and writes its figures into metrics.csv."""

    def __init__(self, check: HalvesCheck) -> None:
        self.check = check

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        if trainer.global_step not in self.check.at or (index + 1) % trainer.accumulate_grad_batches:
            return
        if not trainer.is_global_zero:
            return
        assert isinstance(module, Pretraining)
        check = self.check(model_of(module), trainer.global_step)
        module.train()
        shares = {"check_found": check.found / check.clips, "check_statistics": check.statistics / check.clips}
        for table in trainer.loggers:
            table.log_metrics(shares, trainer.global_step - 1)
        logger.info("step %d: the encoder %s", check.step, check.sentence)


def embed_halves(model: Embeds, clips: Corpus) -> Halves:
    """Each clip's first and second half, as the mean over its windows: (clips, dim) twice, of the clips that can be
    read."""
    halves: tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]] = ([], [])
    for batch in evaluation_batches(clips, model.sample_rate, batch_size=8):
        waveforms = [row[:length].numpy() for row, length in zip(batch.samples, batch.lengths.tolist(), strict=True)]
        for part, of_part in enumerate(halves):
            cut = [(w[: len(w) // 2], w[len(w) // 2 :])[part] for w in waveforms]
            vectors, row, _ = model.embed_clips(padded_together(cut))
            of_part.append(clip_means(vectors.float().numpy(), row.numpy(), len(cut)))
    return np.concatenate(halves[0]), np.concatenate(halves[1])


def is_found(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each first half's nearest second half, by cosine, is its own: bool (clips,)."""
    a, b = (half / np.maximum(np.linalg.norm(half, axis=1, keepdims=True), 1e-12) for half in (first, second))
    nearest: NDArray[np.int64] = (a @ b.T).argmax(axis=1)
    return nearest == np.arange(len(first))


def sign_test(wins: int, losses: int) -> float:
    """The two-sided p of so many wins and losses, were either as likely."""
    trials = wins + losses
    tail = sum(math.comb(trials, k) for k in range(min(wins, losses) + 1)) / 2**trials
    return min(1.0, 2 * tail)
