"""Batches of positive pairs out of endless synthesised sound, for a training.

Rendering a pair takes as long as learning from several patches, so each is heard a few times, with other crops: a batch
is drawn out of a pool in memory, through which the pairs pass. Which pairs the pool holds, and which are drawn, is a
function of (seed, step, rank), and a run that is resumed renders the pool of its step again.

Steps take turns at LANES pools. Loading processes take turns at the steps as well, so that with 1, 2 or 4 of them each
renders the pools of its steps only, and their number changes nothing in the result.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from soundviews.audio.corpus import Skipped
from soundviews.audio.loader import ClipBatch
from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import hashed_seed
from soundviews.scenes.endless import BATCH, at_rate, make_clips
from soundviews.scenes.endless_corpus import EndlessOptions

LANES = 4


class EndlessPairs(Dataset[Any]):
    """Item k is the whole batch of step k on this rank, whichever process asks for it.

    Args:
        options: Which sounds, and the pool.
        sample_rate: Hz of the samples; sounds are rendered at 16 kHz.
        batch_size: Pairs of a batch.
        seed: Of the training: which pairs of the pool a step draws.
        backgrounds: Further clips for each pair, out of the same pool.
        log_mel: Clips (batch, samples) to the spectrograms that the batches are to hold in the place of the samples.
    """

    def __init__(
        self,
        options: EndlessOptions,
        sample_rate: int,
        batch_size: int,
        seed: int,
        backgrounds: int = 0,
        rank: int = 0,
        world_size: int = 1,
        log_mel: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.options, self.sample_rate, self.batch_size, self.seed = options, sample_rate, batch_size, seed
        self.backgrounds, self.rank, self.world_size, self.log_mel = backgrounds, rank, world_size, log_mel
        wanted = (1 + backgrounds) * batch_size
        self.chunks = -(-max(options.pool // LANES, wanted) // BATCH)  # of BATCH pairs, in the pool of a lane
        self._pools: dict[int, _Pool] = {}

    def skipped(self) -> list[Skipped]:
        """Nothing that is synthesised is unreadable."""
        return []

    def __getitem__(self, step: int) -> ClipBatch | SoundviewsError:
        if not self._pools:  # all at once: what a step takes is measured on the next ones
            worker = get_worker_info()
            for later in range(step, step + LANES, 1 if worker is None else worker.num_workers):
                self._pool_of(later)
        pool = self._pool_of(step)
        rng = np.random.default_rng(hashed_seed(self.seed, "pairs", step, self.rank))
        rows = torch.from_numpy(rng.permutation(self.chunks * BATCH)[: (1 + self.backgrounds) * self.batch_size])
        drawn = pool.pairs[:, rows]
        if self.log_mel is not None:
            return ClipBatch(rows, torch.empty(len(rows), 0), torch.zeros_like(rows), log_mels=drawn)
        samples = drawn.float() / 32767
        lengths = torch.full((len(rows),), samples.shape[2])
        positives = samples[1, : self.batch_size] if self.options.renderings == 2 else None
        return ClipBatch(rows, samples[0], lengths, positives=positives)

    def _pool_of(self, step: int) -> "_Pool":
        """The pool of the step's lane, with the pairs of its turn."""
        lane, turn = step % LANES, step // LANES
        pool = self._pools.setdefault(lane, _Pool(self._render, self.chunks))
        # After `turn` steps of the lane, so many of its pairs have been heard `reads` times, and leave.
        first = turn * self.batch_size // self.options.reads // BATCH
        stream = self.rank * LANES + lane
        pool.hold(first, [number * self.world_size * LANES + stream for number in range(first, first + self.chunks)])
        return pool

    def _render(self, chunk: int) -> Tensor:
        """(renderings, BATCH, samples) as int16, or (renderings, BATCH, frames, mels) as float16."""
        index = range(chunk * BATCH, (chunk + 1) * BATCH)
        distances = (None, self.options.perturb)[: self.options.renderings]
        pairs = torch.stack([make_clips(self.options.seed, index, distance) for distance in distances])
        clips = at_rate(pairs.flatten(0, 1), self.sample_rate)
        if self.log_mel is None:
            values = (clips * 32767).round().short()
        else:
            values = torch.cat([self.log_mel(part) for part in clips.split(8)]).half()  # more leave the cache
        return values.unflatten(0, pairs.shape[:2])


class _Pool:
    """Chunks of pairs: (renderings, pairs, ...)."""

    def __init__(self, render: Callable[[int], Tensor], chunks: int) -> None:
        self.render, self.chunks = render, chunks
        self.held = [-1] * chunks
        self.pairs = torch.empty(0)

    def hold(self, first: int, chunks: list[int]) -> None:
        """Render those of `chunks` that are not there, each into the room of one that has left."""
        for position, chunk in enumerate(chunks, start=first):
            room = position % self.chunks
            if self.held[room] != chunk:
                pairs = self.render(chunk)
                if not len(self.pairs):
                    self.pairs = pairs.new_empty(len(pairs), self.chunks * BATCH, *pairs.shape[2:])
                self.pairs[:, room * BATCH : (room + 1) * BATCH] = pairs
                self.held[room] = chunk
