"""Batches: in order for evaluation; for training a function of (seed, step, rank) alone."""

import os

import numpy as np
import pytest
import torch

from soundviews.audio import loader as loader_module
from soundviews.audio.corpus import Corpus
from soundviews.audio.loader import TrainingClips, evaluation_batches, pad, training_loader
from soundviews.audio.store import ClipStore
from soundviews.core.errors import SoundviewsError, UnreadableClip

RATE = 8000


@pytest.fixture
def corpus(tmp_path, write_audio) -> Corpus:
    """Ten clips; clip i is (i + 1) / 20 seconds long."""
    names = [write_audio(f"{i}.wav", (i + 1) / 20, RATE, seed=i).name for i in range(10)]
    return Corpus.from_columns(tmp_path, names)


def spoil(corpus: Corpus, *rows: int) -> None:
    for row in rows:
        with open(corpus.clip(row).path, "w") as file:
            file.write("words")


def assert_same(a, b) -> None:
    for x, y in zip(a, b, strict=True):
        assert (x is None and y is None) or torch.equal(x, y)


def test_padding():
    batch = pad([4, 7], [np.ones(3, np.float32), np.full(5, 2, np.float32)])
    assert batch.samples.tolist() == [[1, 1, 1, 0, 0], [2, 2, 2, 2, 2]]
    assert batch.lengths.tolist() == [3, 5]
    assert batch.index.tolist() == [4, 7]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("store", [False, True])
def test_evaluation_gives_every_clip_once_in_order(corpus, workers, store):
    batches = list(evaluation_batches(corpus, RATE, 4, workers=workers, store=store))
    assert torch.cat([b.index for b in batches]).tolist() == list(range(10))
    assert torch.cat([b.lengths for b in batches]).tolist() == [400 * (i + 1) for i in range(10)]
    assert all(not row[n:].any() for b in batches for row, n in zip(b.samples, b.lengths, strict=True))


@pytest.mark.parametrize("workers", [0, 2])
def test_evaluation_leaves_out_and_names_what_cannot_be_read(corpus, workers):
    spoil(corpus, 0, 4, 5, 6, 7)
    skipped = []
    batches = list(evaluation_batches(corpus, RATE, 4, workers=workers, skipped=skipped))
    assert torch.cat([b.index for b in batches]).tolist() == [1, 2, 3, 8, 9]
    assert [os.path.basename(entry.path) for entry in skipped] == ["0.wav", "4.wav", "5.wav", "6.wav", "7.wav"]
    with pytest.raises(SoundviewsError, match=r"0\.wav: not audio") as caught:
        list(evaluation_batches(corpus, RATE, 4, workers=workers, strict=True))
    assert "Traceback" not in str(caught.value)


def test_a_batch_with_one_very_long_clip_is_split(corpus, monkeypatch):
    monkeypatch.setattr(loader_module, "_MOST_SAMPLES", 8000)
    batches = list(evaluation_batches(corpus, RATE, 10))
    assert torch.cat([b.index for b in batches]).tolist() == list(range(10))
    assert max(b.samples.numel() for b in batches) <= 8000


def steps(corpus, start, count, workers=0, **options):
    return list(training_loader(corpus, RATE, 3, 5, start, count, workers, **options))


def test_an_epoch_has_no_clip_twice_and_epochs_differ(corpus):
    rows = torch.cat([batch.index for batch in steps(corpus, 0, 6)]).tolist()
    first, second = rows[:9], rows[9:]
    assert len(set(first)) == len(set(second)) == 9
    assert first != second


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_resuming_gives_what_an_uninterrupted_run_would(corpus, workers):
    whole = steps(corpus, 0, 8, backgrounds=2)
    resumed = steps(corpus, 5, 3, workers, backgrounds=2)
    for a, b in zip(whole[5:], resumed, strict=True):
        assert_same(a, b)


def test_reading_draws_nothing_from_the_random_state_of_the_caller(corpus):
    before = torch.get_rng_state()
    list(evaluation_batches(corpus, RATE, 4))
    list(training_loader(corpus, RATE, 4, seed=0, start_step=0, steps=2))
    assert torch.equal(torch.get_rng_state(), before)


def test_seeds_differ(corpus):
    a = next(iter(training_loader(corpus, RATE, 6, 0, 0, 1, 0)))
    b = next(iter(training_loader(corpus, RATE, 6, 1, 0, 1, 0)))
    assert a.index.tolist() != b.index.tolist()


def test_ranks_share_out_an_epoch(corpus):
    parts = [steps(corpus, 0, 1, rank=rank, world_size=3)[0].index for rank in range(3)]
    assert len(set(torch.cat(parts).tolist())) == 9


def test_backgrounds_are_other_clips_uniformly(corpus):
    clips = TrainingClips(ClipStore(corpus, RATE, keep=False), 5, 0, backgrounds=2)
    counts = np.zeros((10, 10), int)
    pairs = np.zeros((10, 10), int)
    for step in range(4000):
        own = clips.examples(step)
        first, second = clips.background_rows(step, own)
        np.add.at(counts, (own, first), 1)
        np.add.at(counts, (own, second), 1)
        np.add.at(pairs, (first, second), 1)
    assert counts.diagonal().sum() == 0
    assert pairs.diagonal().sum() == 0
    others = counts[~np.eye(10, dtype=bool)]
    expected = 4000 * 5 * 2 / 90
    assert np.abs(others - expected).max() < 5 * np.sqrt(expected)


def test_backgrounds_come_in_blocks(corpus):
    batch = steps(corpus, 2, 1, backgrounds=2)[0]
    clips = TrainingClips(ClipStore(corpus, RATE, keep=False), 3, 5, backgrounds=2)
    own = clips.examples(2)
    assert batch.index.tolist() == [*own, *clips.background_rows(2, own).reshape(-1)]
    assert batch.samples.shape[0] == 9


@pytest.mark.parametrize("workers", [0, 2])
def test_the_next_readable_clip_takes_the_place_of_a_bad_one(corpus, workers):
    order = torch.cat([batch.index for batch in steps(corpus, 0, 3)])
    spoil(corpus, 3, 4, 9)
    loader = training_loader(Corpus(corpus.root, corpus.table, []), RATE, 3, 5, 0, 3, workers)
    replaced = torch.cat([batch.index for batch in loader])
    substitute = {3: 5, 4: 5, 9: 0}
    assert replaced.tolist() == [substitute.get(row, row) for row in order.tolist()]
    bad = {os.path.basename(entry.path) for entry in loader.dataset.skipped()}
    assert bad == {f"{row}.wav" for row in set(order.tolist()) & {3, 4, 9}} | ({"4.wav"} if 3 in order else set())


def test_a_replaced_background_is_still_another_clip(corpus):
    spoil(corpus, *range(3, 10))
    for batch in steps(corpus, 0, 9, backgrounds=2):
        for example in batch.index.reshape(3, 3).T.tolist():
            assert sorted(example) == [0, 1, 2]


@pytest.mark.parametrize("workers", [0, 1])
def test_errors_arrive_without_a_workers_traceback(corpus, workers):
    spoil(corpus, *range(10))
    with pytest.raises(SoundviewsError, match=r"10 clips, and fewer than 1 of them can be read") as caught:
        steps(corpus, 0, 1, workers)
    assert "Traceback" not in str(caught.value)
    with pytest.raises(SoundviewsError, match=r"wav: not audio"):
        steps(corpus, 0, 1, workers, strict=True)


def test_a_corpus_smaller_than_a_batch(corpus):
    with pytest.raises(SoundviewsError, match="a batch needs 11 clips, the corpus has 10"):
        training_loader(corpus, RATE, 11, 0, 0, 1, 0)
    with pytest.raises(SoundviewsError, match="2 backgrounds"):
        training_loader(corpus.select([0, 1]), RATE, 2, 0, 0, 1, 0, backgrounds=2)


class Ramps:
    """Channel of row r: r everywhere; of block 1 the clip itself where the row is even. Rows in `missing` have none."""

    def __init__(self, missing=(), excess=0):
        self.missing, self.excess = missing, excess

    def wanted(self, step, rank, batch):
        return [(block, np.arange(batch) + 100 * step + 10 * rank) for block in range(2)]

    def read(self, wanted, example, row):
        if row in self.missing:
            raise UnreadableClip("not separated")
        block, drawn = wanted
        if block == 1 and row % 2 == 0:
            return None
        return np.full(400 * (row + 1) + self.excess, row + drawn[example], np.float32)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("excess", [-3, 0, 3])
def test_each_block_of_channels_belongs_to_the_rows_that_were_read(corpus, workers, excess):
    spoil(corpus, 4, 9)
    for step, batch in enumerate(steps(corpus, 0, 4, workers, backgrounds=1, channels=Ramps(excess=excess))):
        assert batch.channels.shape == (2, 3, batch.samples.shape[1])
        for example, row in enumerate(batch.index.tolist()[:3]):
            length = 400 * (row + 1)
            expected = torch.zeros(batch.samples.shape[1])
            expected[: length + min(excess, 0)] = row + example + 100 * step
            assert torch.equal(batch.channels[0, example], expected)
            assert torch.equal(batch.channels[1, example], expected if row % 2 else batch.samples[example])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_clip_without_its_channels_is_replaced_and_named(corpus, workers):
    plain = steps(corpus, 0, 3, backgrounds=1)
    loader = training_loader(corpus, RATE, 3, 5, 0, 3, workers, backgrounds=1, channels=Ramps(missing=[2, 3]))
    for before, after in zip(plain, loader, strict=True):
        wanted = [4 if row in (2, 3) else row for row in before.index.tolist()[:3]]
        assert after.index.tolist()[:3] == wanted
        for own, background, planned in zip(after.index[:3], after.index[3:], before.index[3:], strict=True):
            assert background == planned or own == planned  # a background needs no channels
    assert {(os.path.basename(one.path), one.reason) for one in loader.dataset.skipped()} == {
        ("2.wav", "not separated"),
        ("3.wav", "not separated"),
    }
    with pytest.raises(SoundviewsError, match=r"[23]\.wav: not separated"):
        steps(corpus, 0, 3, workers, channels=Ramps(missing=[2, 3]), strict=True)


def test_channels_follow_the_step_and_the_rank(corpus):
    whole = steps(corpus, 0, 4, rank=1, world_size=2, channels=Ramps())
    resumed = steps(corpus, 2, 2, 2, rank=1, world_size=2, channels=Ramps())
    for a, b in zip(whole[2:], resumed, strict=True):
        assert_same(a, b)
    example_0 = whole[3].channels[0, 0, 0]
    assert example_0 == whole[3].index[0] + 300 + 10
