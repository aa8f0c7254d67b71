"""Endless sound as a corpus, and the pairs that a training draws out of it."""

import pickle
from typing import Any

import numpy as np
import pytest
import torch

from soundviews.audio.loader import ClipBatch, TrainingLoader, loader_of
from soundviews.audio.store import ClipStore
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus, open_recordings
from soundviews.features import LogMel
from soundviews.scenes import endless_pairs
from soundviews.scenes.endless import make_clips
from soundviews.scenes.endless_corpus import EndlessCorpus, EndlessOptions
from soundviews.scenes.endless_pairs import EndlessPairs
from soundviews.views.pipeline import TwoViews

SMALL = EndlessOptions(pool=1, reads=2)


@pytest.fixture
def chunks_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small chunks are rendered quickly."""
    monkeypatch.setattr(endless_pairs, "BATCH", 4)


quick = pytest.mark.usefixtures("chunks_of_four")


def batch_of(pairs: EndlessPairs, step: int) -> ClipBatch:
    batch = pairs[step]
    assert isinstance(batch, ClipBatch)
    return batch


def test_synthesis_opens_as_a_corpus() -> None:
    corpus = open_corpus("synthesis:seed=1,perturb=0.25")
    assert isinstance(corpus, EndlessCorpus) and corpus.options == EndlessOptions(seed=1, perturb=0.25)
    clip = corpus.select([3, 5]).cut(10).read(1, 16000)
    np.testing.assert_allclose(clip, make_clips(1, [5])[0].numpy(), atol=3e-5)
    assert corpus.read(5, 22050).shape == (35280,)
    assert isinstance(open_corpus(["synthesis"]), EndlessCorpus)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("synthesis:sed=1", "seed"),
        ("synthesis:seed=one", "not a number"),
        ("synthesis:perturb=2", "between 0 and 1"),
        ("synthesis:renderings=3", "1 or 2"),
        ("synthesis:reads=0", "1 or more"),
    ],
)
def test_a_wrong_option_is_named(words: str, says: str) -> None:
    with pytest.raises(SoundviewsError, match=says):
        open_corpus(words)


def test_synthesis_is_no_corpus_together_with_another() -> None:
    with pytest.raises(SoundviewsError, match="name one of them"):
        open_corpus(["synthesis", "synthesis:seed=1"])


def test_what_needs_recordings_says_so() -> None:
    with pytest.raises(SoundviewsError, match="has no recordings"):
        open_recordings("synthesis")


def test_other_options_are_another_corpus_and_a_pickle_is_the_same() -> None:
    corpus = open_corpus("synthesis")
    assert pickle.loads(pickle.dumps(corpus)).fingerprint == corpus.fingerprint
    assert open_corpus("synthesis:perturb=0.2").fingerprint != corpus.fingerprint


def test_nothing_is_kept_on_disk() -> None:
    store = ClipStore(open_corpus("synthesis").select([0]), 16000)
    assert np.array_equal(store[0], store[0]) and not hasattr(store, "directory")


@quick
def test_the_positives_are_other_renderings_of_the_clips() -> None:
    batch = batch_of(EndlessPairs(SMALL, 16000, 4, seed=0), 0)
    assert batch.samples.shape == batch.positives.shape == (4, 25600)  # type: ignore[union-attr]
    index = batch.index.tolist()  # in the first chunk of the first lane
    for renderings, distance in ((batch.samples, None), (batch.positives, 0.1)):
        assert renderings is not None
        torch.testing.assert_close(renderings, make_clips(0, range(4), distance)[index], rtol=0, atol=2e-5)


@quick
def test_one_rendering_gives_pairs_of_crops() -> None:
    batch = batch_of(EndlessPairs(EndlessOptions(pool=1, renderings=1), 16000, 4, seed=0), 0)
    assert batch.positives is None and batch.samples.shape == (4, 25600)


@quick
def test_backgrounds_are_further_clips() -> None:
    batch = batch_of(EndlessPairs(SMALL, 16000, 4, seed=0, backgrounds=2), 0)
    assert batch.samples.shape == (12, 25600) and len(set(batch.index.tolist())) == 12
    assert batch.positives is not None and len(batch.positives) == 4


@quick
def test_a_step_is_the_same_whoever_asks_and_after_a_pause() -> None:
    going_on = EndlessPairs(SMALL, 16000, 16, seed=0)
    samples = [batch_of(going_on, step).samples for step in range(0, 24, 4)]
    resumed = batch_of(EndlessPairs(SMALL, 16000, 16, seed=0), 20)
    assert torch.equal(resumed.samples, samples[5])
    assert len({tuple(rows[:, 1000].tolist()) for rows in samples}) == len(samples)


@quick
def test_pairs_pass_through_the_pool() -> None:
    pairs = EndlessPairs(SMALL, 16000, 16, seed=0)
    early = {tuple(row.tolist()) for row in batch_of(pairs, 0).samples[:, 1000:1010]}
    late = {tuple(row.tolist()) for row in batch_of(pairs, 32).samples[:, 1000:1010]}
    assert not early & late  # 16 pairs are heard twice within 2 turns of 16


def test_the_number_of_processes_changes_nothing() -> None:
    def batches(workers: int) -> list[torch.Tensor]:
        loader: TrainingLoader = loader_of(EndlessPairs(SMALL, 16000, 2, seed=0), 1, 3, workers)
        return [batch.samples for batch in loader]

    for here, there in zip(batches(0), batches(2), strict=True):
        assert torch.equal(here, there)


@quick
def test_ranks_hear_different_sounds() -> None:
    first, second = (batch_of(EndlessPairs(SMALL, 16000, 8, 0, rank=rank, world_size=2), 0) for rank in (0, 1))
    assert not torch.equal(first.samples, second.samples)


@quick
def test_log_mels_give_the_views_that_the_samples_give() -> None:
    log_mel = LogMel(16000, power=2.0, log="db", floor=1e-10)
    views = TwoViews([{"patch": {"frames": 100}}], log_mel=log_mel, sample_rate=16000, fill="repeat")
    assert views.begin_with_patches
    plain = batch_of(EndlessPairs(SMALL, 16000, 4, seed=0), 0)
    at_once = batch_of(EndlessPairs(SMALL, 16000, 4, seed=0, log_mel=log_mel), 0)
    assert at_once.log_mels is not None and at_once.log_mels.shape == (2, 4, 158, 64)
    expected = views(plain.samples, plain.lengths, (0, 0), positives=plain.positives)
    given = views.of_log_mels(at_once.log_mels, (0, 0))
    for a, b in zip(given, expected, strict=True):
        loud = b > b.amax() - 60  # below it is what 16 bits of the samples add
        torch.testing.assert_close(a[loud], b[loud], rtol=0, atol=0.3)


def test_views_that_need_the_samples_get_them() -> None:
    context: dict[str, Any] = {"log_mel": LogMel(16000), "sample_rate": 16000, "fill": "repeat"}
    patch = {"patch": {"frames": 100}}
    assert not TwoViews(["peak_normalize", patch], **context).begin_with_patches
    assert not TwoViews([patch, {"mix_back": {"alpha": 0.05}}], **context).begin_with_patches
