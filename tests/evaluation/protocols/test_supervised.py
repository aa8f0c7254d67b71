"""Training the whole network on tones."""

from typing import ClassVar

import numpy as np
import pytest
import torch

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.protocols.supervised import finetune, scratch
from soundviews.evaluation.tasks import open_tasks
from soundviews.model import Model


def test_finetune_learns_and_leaves_the_bundle_alone(tones, tiny_model):
    before = {key: value.clone() for key, value in tiny_model.encoder.state_dict().items()}
    task = open_tasks(tones)[0]
    score = finetune(tiny_model, task, style="cola", epochs=20, batch_size=6)
    assert score.metrics["accuracy"] == 1.0
    assert score.details["lr"] == 1e-3 and score.details["epoch"] == 20
    assert all(torch.equal(value, before[key]) for key, value in tiny_model.encoder.state_dict().items())
    assert not tiny_model.encoder.training


def test_scratch_starts_from_fresh_weights_drawn_from_the_seed(tones, tiny_model):
    task = open_tasks(tones)[0]
    with torch.no_grad():
        for parameter in tiny_model.encoder.parameters():
            parameter.fill_(torch.nan)
    first, second = (scratch(tiny_model, task, seed=3, epochs=2, batch_size=9, lr=0.01) for _ in range(2))
    assert np.array_equal(first.judged.predicted, second.judged.predicted)


class Drawing(torch.nn.Module):
    """An encoder that writes down what its dropout would draw."""

    drawn: ClassVar[list[float]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.drawn.append(float(torch.rand(())))
        return x.mean((1, 2))


def test_the_seed_decides_what_dropout_draws(tones, tiny_model):
    config, task = tiny_model.config.model_copy(update={"embedding_size": 16}), open_tasks(tones)[0]
    for seed in (5, 5, 6):
        finetune(Model(config, Drawing()), task, seed=seed, epochs=1, batch_size=6)
    first, again, other = np.reshape(Drawing.drawn, (3, -1))
    assert np.array_equal(first, again) and not np.isin(first, other).any()
    assert len(set(first)) == len(first) > 1


def test_validation_clips_pick_the_epoch(tones, tiny_model):
    task = open_tasks(tones, train_folds=[1, 2], validation_folds=[3], test_folds=[4])[0]
    score = finetune(tiny_model, task, epochs=3, batch_size=6)
    assert score.details["chosen by"] == "validation" and 1 <= score.details["epoch"] <= 3
    assert score.details["lr"] == 0.01


def test_several_labels_have_thresholds_of_their_own(tones, tiny_model):
    """The validation clips choose thresholds, and no epoch in this style."""
    paths = [tones.clip(row).path for row in range(len(tones))]
    labels = [[name, "odd"] if row % 2 else [name] for row, name in enumerate(["high", "low", "middle"] * 8)]
    corpus = Corpus.from_columns("/", paths, labels=labels, folds=[1 + row // 6 for row in range(24)])
    task = open_tasks(corpus, train_folds=[1, 2], validation_folds=[3], test_folds=[4])[0]
    score = finetune(tiny_model, task, style="acl", epochs=2, batch_size=6)
    assert score.measure == "mAP" and "6 validation clips" in score.details["thresholds"]
    assert score.details["chosen by"] == "the last epoch" and score.details["average"] == "logits"
    assert score.judged.predicted.shape == (6, 4)
    task.validation = task.validation[:0]
    score = finetune(tiny_model, task, style="acl", epochs=1, batch_size=6)
    assert np.array_equal(score.judged.predicted, score.judged.scores >= 0)  # logits at even odds


def test_bf16_and_unreadable_clips(tones, tiny_model):
    task = open_tasks(tones)[0]
    for part in (task.train, task.test):
        open(task.corpus.clip(part[0]).path, "wb").close()
    score = finetune(tiny_model, task, style="cola", epochs=1, batch_size=6, precision="bf16")
    assert len(score.judged.truth) == len(task.test) - 1
    assert set(task.skipped) == {task.corpus.clip(part[0]).path for part in (task.train, task.test)}


def test_the_statistics_have_no_network(tones):
    with pytest.raises(SoundviewsError, match="log-mel statistics has none"):
        finetune(LogMelStatistics(8000), open_tasks(tones)[0])
