"""Whether a training worked, told without labels."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from soundviews.audio.corpus import Corpus
from soundviews.datasets.opening import open_corpus
from soundviews.pretraining import check as module
from soundviews.pretraining.check import Check, HalvesCheck, hold_out, is_found, sign_test
from soundviews.pretraining.log import read_metrics
from soundviews.pretraining.run import pretrain
from soundviews.recipes.building import build
from soundviews.recipes.schema import Recipe

Make = Callable[..., Recipe]


@pytest.fixture
def many(write_audio: Callable[..., Path], tmp_path: Path) -> Path:
    """Thirty recordings of 1.5 s, each with a tone of its own, and five too short for two windows of 0.41 s."""
    for index in range(35):
        write_audio(f"many/{index}.wav", seconds=1.5 if index < 30 else 0.6, sample_rate=8000, seed=index)
    return tmp_path / "many"


def test_the_nearest_half_is_found_by_cosine() -> None:
    first = np.eye(4, 3, dtype=np.float32) + 0.1
    assert is_found(first, 5 * first).all()
    assert is_found(first, first[[1, 0, 2, 3]]).tolist() == [False, False, True, True]
    assert is_found(np.ones((10, 3), np.float32), np.ones((10, 3), np.float32)).sum() == 1  # chance


def test_the_sign_test_is_exact() -> None:
    assert sign_test(0, 0) == sign_test(3, 3) == 1
    assert sign_test(5, 0) == sign_test(0, 5) == pytest.approx(2 / 32)
    assert sign_test(9, 1) == pytest.approx(2 * 11 / 1024)


def test_the_answer_is_one_honest_sentence() -> None:
    good = Check(step=9, clips=100, held_out=True, found=71, statistics=38, p=1e-6, collapse="")
    assert good.sentence == (
        "finds the other half of a recording that it has not learned from in 71 of 100; "
        "spectrogram statistics in 38; chance 1"
    )
    equal = Check(step=9, clips=100, held_out=False, found=71, statistics=68, p=0.6, collapse="")
    assert "that it has learned from" in equal.sentence and equal.sentence.endswith(
        "No clear difference from the statistics"
    )
    worse = Check(step=9, clips=100, held_out=False, found=30, statistics=68, p=1e-6, collapse="")
    assert "statistics are ahead: train longer" in worse.sentence
    assert Check(9, 100, False, 1, 68, 1e-9, "the encoder has collapsed: ...").sentence.endswith(
        "The encoder has collapsed: ..."
    )


def test_clips_are_long_enough_and_of_different_recordings(tiny_recipe: Make, many: Path) -> None:
    recipe = tiny_recipe()
    corpus = open_corpus(many).cut(0.9)  # two clips of the long ones, of which the second is too short
    nothing = corpus.select([])
    parts = build(recipe, weights=False)
    clips = HalvesCheck(recipe, parts.log_mel, corpus, nothing, steps=10).clips
    assert clips is not None and len(clips) == len(set(clips.table["path"].to_pylist())) == 30
    assert (clips.column("end") - clips.column("start") >= 0.82).all()
    assert HalvesCheck(recipe, parts.log_mel, corpus.select(range(30)), nothing, steps=10).clips is None


def test_an_encoder_that_finds_halves_has_not_collapsed(
    tiny_recipe: Make, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, corpus = tiny_recipe(), open_corpus(many)
    check = HalvesCheck(recipe, build(recipe, weights=False).log_mel, corpus, corpus.select([]), steps=10)
    tones = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    monkeypatch.setattr(module, "_side_by_side", lambda model: model)
    for spread, collapsed in ((1.0, False), (1e-3, False), (0.0, True)):
        monkeypatch.setattr(module, "embed_halves", lambda *_, h=1 + spread * tones: (h, h))
        assert bool(check(None, 3).collapse) == collapsed  # type: ignore[arg-type]


@pytest.mark.parametrize(("steps", "at"), [(100, ()), (20_000, (10_000,)), (100_000, (25_000, 50_000, 75_000))])
def test_checks_on_the_way_are_those_that_the_training_can_afford(
    steps: int, at: tuple[int, ...], tiny_recipe: Make
) -> None:
    names = [f"{index}.wav" for index in range(300)]
    corpus = Corpus.from_columns("/nowhere", names, ends=[10.0] * 300, durations=[10.0] * 300)
    recipe = tiny_recipe("training.batch_size=8")
    check = HalvesCheck(recipe, build(recipe, weights=False).log_mel, corpus, corpus.select([]), steps)
    assert check.clips is not None and check.at == at
    windows = (len(at) + 1) * len(check.clips) * 10 / 0.41
    assert len(check.clips) == module.SHORTENED or windows <= 0.02 * steps * 8 * 2 * 3


def test_recordings_are_held_out_whole(many: Path) -> None:
    corpus = open_corpus(many).cut(0.5)
    learned, held = hold_out(corpus, 0.2, seed=3, needed=4)
    sets = [set(part.table["path"].to_pylist()) for part in (learned, held)]
    assert not sets[0] & sets[1] and len(sets[1]) == 7 and len(learned) + len(held) == len(corpus)
    assert hold_out(corpus, 0.2, seed=3, needed=4)[1].fingerprint == held.fingerprint
    for share, needed in ((0.0, 4), (0.2, len(corpus))):
        learned, held = hold_out(corpus, share, 3, needed)
        assert len(learned) == len(corpus) and not len(held)


@pytest.mark.parametrize("held_out", [0, 0.5])
def test_a_run_ends_with_the_answer(
    held_out: float,
    tiny_recipe: Make,
    many: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FEWEST_CLIPS", 5)
    monkeypatch.setattr(module, "SHORTENED", 5)
    monkeypatch.setattr(module, "SHARE", 100.0)  # as in a long training
    recipe = tiny_recipe("training.steps=4", f"training.held_out={held_out}")
    with caplog.at_level(logging.INFO, "soundviews"):
        run = pretrain(recipe, many, tmp_path / "run", workers=0)
    page = json.loads((run / "check.json").read_text())
    assert page["step"] == 4 and page["held_out"] == bool(held_out) and 0 <= page["found"] <= page["clips"]
    assert f"the encoder {page['sentence']}" in caplog.text
    curves = read_metrics(run / "metrics.csv")
    assert [step for step, _ in curves["check_found"]] == [0, 1, 2]
    assert {value for _, value in curves["check_statistics"]} == {page["statistics"] / page["clips"]}


def test_checks_change_no_weight(
    tiny_recipe: Make, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, weights = tiny_recipe("training.steps=4"), []
    for share in (0.0, 100.0):
        monkeypatch.setattr(module, "SHARE", share)
        run = pretrain(recipe, many, tmp_path / f"run {share}", workers=0)
        weights.append((run / "bundle" / "model.safetensors").read_bytes())
    assert "check_found" in read_metrics(run / "metrics.csv") and weights[0] == weights[1]
