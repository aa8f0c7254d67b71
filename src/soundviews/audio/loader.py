"""Batches of waveforms from a corpus, decoded in worker processes.

Randomness has no state: the order of an epoch is a function of (seed, epoch), the backgrounds of a step of
(seed, step, rank). Resuming is starting at step k, and the number of workers changes nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from soundviews.audio.corpus import Corpus, Skipped
from soundviews.audio.ledger import Ledger
from soundviews.audio.store import ClipStore
from soundviews.core.errors import SoundviewsError, UnreadableClip
from soundviews.core.interruption import leave_signals_to_the_main_process
from soundviews.core.randomness import hashed_seed

# A batch for evaluation is split where padding it to its longest clip would take more than 256 MiB.
_MOST_SAMPLES = 1 << 26

W = TypeVar("W")
Waveform = npt.NDArray[np.float32]


class ClipBatch(NamedTuple):
    """Clips padded with zeros to the longest.

    index: (batch,) int64, row of the corpus each clip is from.
    samples: (batch, max_samples) float32.
    lengths: (batch,) int64, samples before the padding.
    channels: (blocks, examples, max_samples) float32, separated from the batch's first `examples` clips and as long
        as they; None where a `ChannelSource` was not asked.
    positives: (examples, max_samples), other renderings of the batch's first clips, for the branches after the
        anchor's; None where those take the clips themselves.
    log_mels: (renderings, batch, frames, mels), the log-mel spectrograms of all of them; `samples` is empty then.
    """

    index: Tensor  # type: ignore[assignment]  # hides tuple.index
    samples: Tensor
    lengths: Tensor
    channels: Tensor | None = None
    positives: Tensor | None = None
    log_mels: Tensor | None = None


class ChannelSource(Protocol[W]):
    """Where a training's separated channels come from. It must survive pickling: every worker has one."""

    def wanted(self, step: int, rank: int, batch: int) -> Sequence[W]:
        """What each block of the step's `channels` is to hold, one `W` a block for all of its `batch` examples."""
        ...

    def read(self, wanted: W, example: int, row: int) -> Waveform | None:
        """What `wanted` says of `example`, of clip `row` of the corpus: (samples,); None is the clip itself.

        Raises:
            UnreadableClip: there is no such channel; the clip then counts as unreadable.
        """
        ...


def pad(index: Sequence[int], clips: Sequence[Waveform]) -> ClipBatch:
    """Clips of one or more samples each to a batch."""
    lengths = torch.tensor([len(clip) for clip in clips])
    samples = torch.zeros(len(clips), int(lengths.max()))
    for row, clip in zip(samples.numpy(), clips, strict=True):
        row[: len(clip)] = clip
    return ClipBatch(torch.tensor(index, dtype=torch.int64), samples, lengths)


class _EvaluationClips(Dataset[Any]):
    """Item k: batches from the k-th `batch_size` clips in order, and the clips that had to be left out."""

    def __init__(self, clips: ClipStore, batch_size: int, strict: bool) -> None:
        self.clips, self.batch_size, self.strict = clips, batch_size, strict

    def __len__(self) -> int:
        return -(-len(self.clips) // self.batch_size)

    def __getitem__(self, k: int) -> tuple[list[ClipBatch], list[Skipped]]:
        index, waveforms, skipped = [], [], []
        for i in range(k * self.batch_size, min((k + 1) * self.batch_size, len(self.clips))):
            try:
                waveforms.append(self.clips[i])
                index.append(i)
            except UnreadableClip as error:
                skipped.append(Skipped(self.clips.corpus.clip(i).path, str(error)))
                if self.strict:
                    break
        batches = [pad(index[part], waveforms[part]) for part in _parts([len(w) for w in waveforms])]
        return batches, skipped


def _parts(lengths: list[int]) -> Iterator[slice]:
    """Consecutive slices that each stay below _MOST_SAMPLES when padded, or hold a single clip."""
    first, longest = 0, 0
    for index, length in enumerate(lengths):
        if index > first and max(longest, length) * (index - first + 1) > _MOST_SAMPLES:
            yield slice(first, index)
            first, longest = index, 0
        longest = max(longest, length)
    if lengths:
        yield slice(first, len(lengths))


def evaluation_batches(
    corpus: Corpus,
    sample_rate: int,
    batch_size: int,
    workers: int = 0,
    store: bool = True,
    strict: bool = False,
    skipped: list[Skipped] | None = None,
) -> Iterator[ClipBatch]:
    """Every clip once, in order, in batches of at most `batch_size`.

    Args:
        sample_rate: Hz of the samples.
        workers: processes that decode; 0 decodes here.
        store: keep what was decoded.
        strict: raise at the first clip that cannot be read instead of leaving it out.
        skipped: clips that were left out are appended to it.

    Raises:
        UnreadableClip: with `strict`, names the clip.
    """
    clips = _EvaluationClips(ClipStore(corpus, sample_rate, keep=store), batch_size, strict)
    generator = torch.Generator()  # without one, reading would draw from everybody's
    loader = DataLoader(clips, batch_size=None, num_workers=workers, worker_init_fn=_quiet, generator=generator)
    for batches, left_out in loader:
        if left_out and strict:
            raise UnreadableClip(f"{left_out[0].path}: {left_out[0].reason}")
        if skipped is not None:
            skipped += left_out
        yield from batches


class TrainingClips(Dataset[Any]):
    """Item k is the whole batch of step k on this rank, whichever process asks for it."""

    def __init__(
        self,
        clips: ClipStore,
        batch_size: int,
        seed: int,
        backgrounds: int = 0,
        rank: int = 0,
        world_size: int = 1,
        strict: bool = False,
        channels: ChannelSource[Any] | None = None,
    ) -> None:
        if len(clips) < batch_size * world_size:
            raise SoundviewsError(
                f"a batch needs {batch_size * world_size} clips, the corpus has {len(clips)}; lower the batch size"
            )
        if len(clips) <= backgrounds:
            raise SoundviewsError(f"{backgrounds} backgrounds a clip need more than the {len(clips)} clips there are")
        self.clips, self.batch_size, self.seed, self.backgrounds = clips, batch_size, seed, backgrounds
        self.rank, self.world_size, self.strict, self.channels = rank, world_size, strict, channels
        self._without_channels = Ledger()
        self.steps_per_epoch = steps_per_epoch(len(clips), batch_size, world_size)
        self._order: tuple[int, npt.NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def skipped(self) -> list[Skipped]:
        """Clips that could not be read so far, in any worker."""
        return [*self.clips.skipped(), *self._without_channels.entries()]

    def examples(self, step: int) -> npt.NDArray[np.int64]:
        """(batch_size,) rows of the corpus: this rank's part of the step."""
        epoch, step_of_epoch = divmod(step, self.steps_per_epoch)
        if self._order[0] != epoch:
            shuffle = np.random.default_rng(hashed_seed(self.seed, "order", epoch))
            self._order = epoch, shuffle.permutation(len(self.clips))
        first = (step_of_epoch * self.world_size + self.rank) * self.batch_size
        return self._order[1][first : first + self.batch_size]

    def background_rows(self, step: int, examples: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """(backgrounds, batch_size) rows uniform over the corpus, other than the example's and each other's."""
        rng = np.random.default_rng(hashed_seed(self.seed, "backgrounds", step, self.rank))
        used = examples[None]
        for block in range(self.backgrounds):
            drawn = rng.integers(0, len(self.clips) - 1 - block, self.batch_size)
            # Counting past the rows that are used makes the draw uniform over those that are not.
            for row in np.sort(used, axis=0):
                drawn += drawn >= row
            used = np.concatenate([used, drawn[None]])
        return used[1:]

    def __getitem__(self, step: int) -> ClipBatch | SoundviewsError:
        try:
            return self.batch(step)
        except SoundviewsError as error:
            # Raised by the loader's own iterator: the traceback of a worker would bury the message.
            return error

    def batch(self, step: int) -> ClipBatch:
        """The examples of a step, then one block of backgrounds after the other."""
        examples = self.examples(step)
        wanted = [] if self.channels is None else self.channels.wanted(step, self.rank, self.batch_size)
        used: list[set[int]] = [set() for _ in examples]  # by each example and its backgrounds
        clips: list[_Clip] = []
        for rows in (examples, *self.background_rows(step, examples)):
            wanted_of_block = [] if clips else wanted  # backgrounds are mixtures
            for example, row in enumerate(rows.tolist()):
                clip = self._readable(row, used[example], example, wanted_of_block)
                used[example].add(clip.row)
                clips.append(clip)
        batch = pad([clip.row for clip in clips], [clip.samples for clip in clips])
        if self.channels is None:
            return batch
        return batch._replace(channels=_padded_channels(clips[: len(examples)], len(wanted), batch.samples.shape[1]))

    def _readable(self, row: int, used: set[int], example: int, wanted: Sequence[Any]) -> "_Clip":
        """Clip `row`, or the next in the corpus that can be read with its channels and is not used yet."""
        for candidate in range(row, row + len(self.clips)):
            candidate %= len(self.clips)
            if candidate in used:
                continue
            try:
                samples = self.clips[candidate]
                return _Clip(candidate, samples, self._read_channels(samples, candidate, example, wanted))
            except UnreadableClip as error:
                if self.strict:
                    raise UnreadableClip(f"{self.clips.corpus.clip(candidate).path}: {error}") from error
        first = self.skipped()[0]
        raise SoundviewsError(
            f"{len(self.clips)} clips, and fewer than {len(used) + 1} of them can be read "
            f"(the first that cannot: {first.path}: {first.reason})"
        )

    def _read_channels(self, samples: Waveform, row: int, example: int, wanted: Sequence[Any]) -> list[Waveform]:
        if self.channels is None:
            return []
        try:
            channels = [self.channels.read(block, example, row) for block in wanted]
        except UnreadableClip as error:
            self._without_channels.add(self.clips.corpus.clip(row).path, str(error))
            raise
        # Rounding may have made a channel a few samples longer than the clip is here.
        return [samples if channel is None else channel[: len(samples)] for channel in channels]


class _Clip(NamedTuple):
    """A clip of the batch: its row of the corpus, its samples, and a channel for each block."""

    row: int
    samples: Waveform
    channels: list[Waveform]


def _padded_channels(clips: list[_Clip], blocks: int, samples: int) -> Tensor:
    """(blocks, examples, samples)."""
    result = torch.zeros(blocks, len(clips), samples)
    for example, clip in enumerate(clips):
        for block, channel in enumerate(clip.channels):
            result[block, example, : len(channel)] = torch.from_numpy(channel)
    return result


class StepBatches(Protocol):
    """Where the batches of a training come from, each a function of its step and of what the training says."""

    def __getitem__(self, step: int) -> ClipBatch | SoundviewsError:
        """The batch of a step on this rank, or what is wrong with it."""
        ...

    def skipped(self) -> list[Skipped]:
        """Clips that could not be read so far, in any worker."""
        ...


class TrainingLoader(DataLoader[Any]):
    """A loader whose errors arrive as they were raised."""

    dataset: StepBatches  # type: ignore[assignment]

    def __iter__(self) -> Iterator[ClipBatch]:  # type: ignore[override]
        for batch in super().__iter__():
            if isinstance(batch, SoundviewsError):
                raise batch
            yield batch


def steps_per_epoch(clips: int, batch_size: int, world_size: int = 1) -> int:
    """Whole batches on every rank; what is left over is left out of that epoch."""
    return clips // (batch_size * world_size)


def training_loader(
    corpus: Corpus,
    sample_rate: int,
    batch_size: int,
    seed: int,
    start_step: int,
    steps: int,
    workers: int = 0,
    backgrounds: int = 0,
    rank: int = 0,
    world_size: int = 1,
    store: bool = True,
    strict: bool = False,
    channels: ChannelSource[Any] | None = None,
) -> TrainingLoader:
    """Batches of steps start_step .. start_step + steps - 1, shuffled anew each epoch.

    A batch holds (1 + backgrounds) * batch_size clips: the step's examples first, then one block of batch_size
    for each background. A clip that cannot be read is replaced by the next one that can, and recorded in
    `loader.dataset.skipped()`; with `strict` it is an error.

    Args:
        sample_rate: Hz of the samples.
        batch_size: examples on this rank.
        workers: processes that decode; 0 decodes here.
        backgrounds: further clips for each example, never the example itself nor each other.
        store: keep what was decoded.
        channels: gives each batch its `channels`.

    Raises:
        SoundviewsError: fewer clips than a batch; while iterating: too few of them can be read.
    """
    clips = ClipStore(corpus, sample_rate, keep=store)
    dataset = TrainingClips(clips, batch_size, seed, backgrounds, rank, world_size, strict, channels)
    return loader_of(dataset, start_step, steps, workers)


def loader_of(dataset: StepBatches, start_step: int, steps: int, workers: int = 0) -> TrainingLoader:
    """Batches of steps start_step .. start_step + steps - 1 out of `dataset`, made in `workers` processes."""
    return TrainingLoader(
        dataset,  # type: ignore[arg-type]  # torch asks for __getitem__ only
        batch_size=None,
        sampler=range(start_step, start_step + steps),
        num_workers=workers,
        worker_init_fn=_quiet,
        generator=torch.Generator(),  # without one, reading would draw from everybody's
        pin_memory=torch.cuda.is_available(),
    )


def _quiet(_worker: int) -> None:
    leave_signals_to_the_main_process()
