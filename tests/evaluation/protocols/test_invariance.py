"""Invariance: against a loop in float64, and on encoders that are invariant, sensitive or constant by construction."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation import Task, open_tasks
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.protocols import invariance as module
from soundviews.evaluation.protocols.invariance import moved
from soundviews.evaluation.score import protocols
from soundviews.features.patches import Clips
from soundviews.model import Model

invariance = protocols.get("invariance")
RATE = 8000


class Spectrum:
    """An encoder of a clip's spectrum in 16 bands; by choice deaf to level, blind to what it hears, or of one mind."""

    name, fingerprint, sample_rate, head = "spectrum", "", RATE, None

    def __init__(self, level: bool = False, constant: bool = False, common: float = 0.0) -> None:
        self.level, self.constant, self.common = level, constant, common

    def embed_clips(self, clips: Clips, space: str = "h") -> tuple[Tensor, Tensor, Tensor]:
        power = torch.fft.rfft(clips.samples, 2 * RATE).abs()[:, :RATE].square()
        bands = power.unflatten(1, (16, -1)).sum(2)
        loud = bands.sum(1, keepdim=True)
        h = torch.cat([bands / loud, loud.log() - 10], dim=1) if self.level else bands / loud
        h = torch.ones_like(h) if self.constant else h + self.common
        return h, torch.arange(len(h)), torch.zeros(len(h))


@pytest.fixture
def task(tones: Corpus) -> Task:
    return open_tasks(tones, test_folds=[1, 2])[0]


@pytest.fixture
def identity_room(write_audio: Callable[..., Path]) -> str:
    samples = np.zeros(800)
    samples[0] = 0.5
    return str(write_audio("rooms/identity.wav", samples=samples, sample_rate=RATE).parent)


def by_loop(before: np.ndarray, after: np.ndarray) -> tuple[float, float, float, float]:
    """invariance, found again, own, unrelated: pair by pair, as the module's docstring defines them."""

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    count, found, own, unrelated = len(before), [], [], []
    for i in range(count):
        own.append(cosine(before[i], after[i]))
        others = [cosine(before[j], after[i]) for j in range(count) if j != i]
        found.append(own[i] > max(others))
        unrelated += [cosine(before[i], before[j]) for j in range(count) if j != i]
    share = 1 - (1 - np.mean(own)) / (1 - np.mean(unrelated))
    return float(share), float(np.mean(found)), float(np.mean(own)), float(np.mean(unrelated))


@pytest.mark.parametrize("block", [4_000_000, 100])
def test_equals_a_loop_over_pairs(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    before = rng.standard_normal((40, 6)) + 2
    after = before + rng.standard_normal((40, 6))
    monkeypatch.setattr(module, "BLOCK", block)
    figures = moved(before, after).figures()
    assert list(figures.values()) == pytest.approx(by_loop(before, after), abs=1e-12)
    assert 0.2 < figures["found_again"] < 0.9
    # with h on a sphere, it is a ratio of mean squared distances
    old, new = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (before, after))
    spread = np.mean([np.square(old[i] - old[j]).sum() for i in range(40) for j in range(40) if i != j])
    assert figures["invariance"] == pytest.approx(1 - np.square(old - new).sum(1).mean() / spread, abs=1e-12)


def test_a_common_direction_raises_the_cosines_but_not_the_invariance() -> None:
    rng = np.random.default_rng(1)
    # on the unit sphere around a pole: what lies across is far smaller than what all have in common
    across, noise = 0.01 * rng.standard_normal((2, 200, 8))
    plain = moved(np.c_[np.ones(200), across], np.c_[np.ones(200), across + noise]).figures()
    assert plain["own"] > 0.999
    assert plain["unrelated"] > 0.999
    assert plain["invariance"] == pytest.approx(0.5, abs=0.05)


def test_ties_and_equal_embeddings_are_at_chance() -> None:
    rng = np.random.default_rng(2)
    constant = np.ones((20, 4)) + 1e-7 * rng.standard_normal((20, 4))
    assert moved(constant, constant).figures() == pytest.approx(
        {"invariance": 0.0, "found_again": 1 / 20, "own": 1.0, "unrelated": 1.0}
    )
    pairs = np.repeat(rng.standard_normal((10, 4)), 2, axis=0)  # every clip is there twice
    assert moved(pairs, pairs).figures()["found_again"] == 0.5
    assert moved(np.zeros((5, 3)), np.zeros((5, 3))).figures()["found_again"] == 0.2
    with pytest.raises(SoundviewsError, match="NaN"):
        moved(np.full((3, 2), np.nan), np.ones((3, 2)))


def test_an_encoder_deaf_to_level_is_invariant_to_gain(task: Task) -> None:
    deaf, hears = (invariance(Spectrum(level=level), task, only="gain -6 dB+noise 10 dB") for level in (False, True))
    assert deaf.per_class["gain -6 dB"] == pytest.approx(1.0, abs=1e-6)
    assert hears.per_class["gain -6 dB"] < 0.99
    assert deaf.per_class["noise 10 dB"] < 0.9999
    assert deaf.value == pytest.approx(np.mean(list(deaf.per_class.values())))
    assert deaf.measure == "invariance"


def test_more_noise_moves_h_farther(task: Task) -> None:
    score = invariance(Spectrum(), task, only="noise 20 dB + noise 10 dB")
    assert score.per_class["noise 20 dB"] > score.per_class["noise 10 dB"]


def test_a_constant_encoder_is_at_chance(task: Task) -> None:
    score = invariance(Spectrum(constant=True), task, only="gain -6 dB+stretch 0.9")
    assert score.value == 0
    assert score.metrics["found_again"] == pytest.approx(1 / 12)
    assert "all h are the same" in score.details["note"]


def test_every_transformation_of_a_model_and_a_seed_repeats(task: Task, tiny_model: Model, identity_room: str) -> None:
    first = invariance(tiny_model, task, seed=3, rooms=identity_room)
    assert list(first.per_class) == list(module.transformations.NAMES)
    assert first.per_class["room"] == pytest.approx(1, abs=1e-4)  # peak_normalize undoes the response's 0.5
    assert first.per_class["gain -6 dB"] > 0.99
    assert all(value < 0.999999 for name, value in first.per_class.items() if "noise" in name or name == "masks")
    again = invariance(tiny_model, task, seed=3, rooms=identity_room)
    assert again.metrics == first.metrics
    other = invariance(tiny_model, task, seed=4, rooms=identity_room)
    assert other.per_class["noise 10 dB"] != first.per_class["noise 10 dB"]
    assert other.per_class["stretch 0.9"] == first.per_class["stretch 0.9"]  # nothing is drawn there


def test_what_the_statistics_cannot_do_is_noted(
    task: Task, identity_room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = invariance(LogMelStatistics(RATE), task, rooms=identity_room)
    assert "masks" not in score.per_class
    assert "without masks: it has no patches" in score.details["note"]
    with pytest.raises(SoundviewsError, match="cannot be judged by 'masks'"):
        invariance(LogMelStatistics(RATE), task, only="masks")
    with pytest.raises(SoundviewsError, match="did you mean 'masks'"):
        invariance(LogMelStatistics(RATE), task, only="mask")
    monkeypatch.setattr(module.transformations.importlib.util, "find_spec", lambda name: None)
    score = invariance(LogMelStatistics(RATE), task, clips=2)
    assert "without room: pyroomacoustics is not installed" in score.details["note"]


def test_clips_are_limited_and_silent_ones_left_out(
    write_audio: Callable[..., Path], tmp_path: Path, tones: Corpus
) -> None:
    silent = [str(write_audio(f"silent/{i}.wav", samples=np.zeros(4000), sample_rate=RATE)) for i in range(2)]
    paths = [str(path) for path in tones.table["path"].to_pylist()]
    corpus = Corpus.from_columns(tmp_path, [*paths, *silent], labels=[["a"]] * 26, splits=["test"] * 26)
    judged = open_tasks(corpus, test_split="test")[0]
    score = invariance(Spectrum(), judged, only="gain -6 dB")
    assert score.details["clips"] == 24
    assert set(judged.skipped) == set(silent)
    assert invariance(Spectrum(), judged, clips=10, only="gain -6 dB").details["clips"] <= 10
    with pytest.raises(SoundviewsError, match="2 test clips, 2 of them unreadable"):
        invariance(Spectrum(), Task(corpus, *[np.empty(0, np.int64)] * 2, np.array([24, 25])), only="gain -6 dB")
    with pytest.raises(SoundviewsError, match="two clips at least"):
        invariance(Spectrum(), Task(corpus, *[np.empty(0, np.int64)] * 2, np.array([0])), only="gain -6 dB")
    with pytest.raises(SoundviewsError, match="not 1"):
        invariance(Spectrum(), judged, clips=1)
