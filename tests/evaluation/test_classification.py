"""What the trained protocols share: thresholds, gradients, and tasks that cannot be judged."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, precision_score

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.classification import (
    Choosing,
    judge,
    loss,
    loss_gradient,
    require_clips,
    settings,
    truth_of,
)
from soundviews.evaluation.tasks import Task


def made_up(labels: list[list[str]], train: int, validation: int) -> Task:
    """Clips in this order: so many that train, so many that validate, the others for the test."""
    corpus = Corpus.from_columns("/nowhere", [f"{i}.wav" for i in range(len(labels))], labels=labels)
    parts = np.split(np.arange(len(labels)), [train, train + validation])
    return Task(corpus, *parts)


def several(clips: int = 60, rare: bool = False) -> tuple[Task, np.ndarray]:
    """Clips of three classes and more; with `rare` no validation clip has class d. And their scores."""
    rng = np.random.default_rng(0)
    truth = rng.random((clips, 4)) < 0.4
    truth[:, 3] &= not rare
    truth[0], truth[1], truth[-1], truth[-2] = True, False, True, False
    labels = [[name for name, there in zip("abcd", row, strict=True) if there] for row in truth]
    scores = (truth + rng.normal(0, 0.7, truth.shape) - 2).astype(np.float32)  # badly calibrated: none is above 0.5
    return made_up(labels, 20, 20), scores


def test_thresholds_come_from_the_validation_clips() -> None:
    task, scores = several()
    truth, test, own = truth_of(task), task.test, task.validation
    without = judge(task, test, truth, scores[test], Choosing(own[:0], scores[:0]))
    chosen = judge(task, test, truth, scores[test], Choosing(own, scores[own]))
    assert without.metrics["mAP"] == chosen.metrics["mAP"] and without.measure == "mAP"
    assert without.metrics["micro_f1"] < 0.2 < 0.5 < chosen.metrics["micro_f1"]
    assert "thresholds of 0.5" in without.details["note"] and "note" not in chosen.details
    assert "20 validation clips" in chosen.details["thresholds"]
    candidates = [sorted({*scores[own, place]}) for place in range(4)]
    best = [
        max(levels, key=lambda level: (f1_score(truth[own, place], scores[own, place] >= level), level))
        for place, levels in enumerate(candidates)
    ]
    predicted = scores[test] >= best
    assert np.array_equal(chosen.judged.predicted, predicted)
    for average in ("macro", "micro"):
        assert chosen.metrics[f"{average}_f1"] == pytest.approx(f1_score(truth[test], predicted, average=average))
    weighted = precision_score(truth[test], predicted, average="weighted", zero_division=0)
    assert chosen.metrics["weighted_precision"] == pytest.approx(weighted)


def test_a_class_that_no_validation_clip_has_stays_at_even_odds() -> None:
    task, scores = several(rare=True)
    own, test = task.validation, task.test
    score = judge(task, test, truth_of(task), scores[test], Choosing(own, scores[own], even=-1.0))
    assert score.details["note"].endswith("at a threshold of 0.5: d")
    assert np.array_equal(score.judged.predicted[:, 3], scores[test, 3] >= -1.0)


def test_one_label_takes_the_highest_score() -> None:
    task = made_up([["a"], ["b"], ["c"]] * 4, 3, 0)
    scores = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    score = judge(task, task.test, truth_of(task), scores)
    own, predicted = truth_of(task)[task.test], scores.argmax(axis=1)
    assert score.measure == "accuracy" and np.array_equal(score.judged.predicted, predicted)
    assert score.metrics["macro_f1"] == pytest.approx(f1_score(own, predicted, average="macro", zero_division=0))
    assert score.metrics["micro_f1"] == pytest.approx(score.metrics["clip_accuracy"])
    assert score.details == {}


@pytest.mark.parametrize("kind", ["one label", "several"])
def test_the_written_gradient_is_autograds(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(9, 5, generator=generator, requires_grad=True)
    truth = torch.randint(5, (9,), generator=generator)
    if kind == "several":
        truth = (torch.rand(9, 5, generator=generator) < 0.3).float()
    loss(logits, truth).backward()
    torch.testing.assert_close(loss_gradient(logits.detach().clone(), truth), logits.grad)


def test_acl_is_cola_in_larger_batches() -> None:
    acl = settings("acl")
    assert (acl.optimizer, acl.lr, acl.batch_size, acl.epochs, acl.average) == ("adam", 1e-3, 128, 100, "logits")
    assert not acl.best_epoch and acl.even == 0.0 and settings("uclser").even == 0.5


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([["a"]] * 4, "at least two classes, and all 2 train clips have the same label: a"),
        ([["a"], ["a"], ["b"], ["a"]], "all 2 train clips have the same label: a"),
        ([["a"], ["b"], ["a", "b"], ["a", "b"]], "all 2 test clips have the same label: a, b"),
    ],
)
def test_clips_that_nothing_tells_apart_are_refused(labels: list[list[str]], message: str) -> None:
    with pytest.raises(SoundviewsError, match=message):
        require_clips(made_up(labels, 2, 0), "linear")


def test_a_test_of_one_class_can_still_be_right_or_wrong() -> None:
    task = made_up([["a"], ["b"], ["b"], ["b"]], 2, 0)
    require_clips(task, "linear")
    scores = np.array([[0.2, 0.8], [0.9, 0.1]], dtype=np.float32)
    assert judge(task, task.test, truth_of(task), scores).metrics["accuracy"] == 0.5
