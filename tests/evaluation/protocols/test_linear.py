"""Linear protocols on embeddings made up for the purpose, so that the right answer is known."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation import evaluate, open_tasks
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.classification import clip_scores, loss, settings
from soundviews.evaluation.embeddings import CorpusEmbeddings
from soundviews.evaluation.linear_layer import LinearClassifier, seeded_linear
from soundviews.evaluation.protocols import linear as linear_module
from soundviews.evaluation.protocols.linear import linear
from soundviews.evaluation.tasks import Task

CLIPS, CLASSES, SIZE = 90, 3, 5


class MadeUp:
    name, fingerprint, sample_rate, head = "made up", "", 8000, None


def made_up_task(monkeypatch, labels=None, spread=0.4, unreadable=()) -> tuple[Task, CorpusEmbeddings]:
    """Clips of one to four windows around their class's corner."""
    rng = np.random.default_rng(0)
    names = [f"c{i % CLASSES}" for i in range(CLIPS)]
    corpus = Corpus.from_columns("/nowhere", [f"{i}.wav" for i in range(CLIPS)], labels=labels or [[n] for n in names])
    count = rng.integers(1, 5, CLIPS)
    count[list(unreadable)] = 0
    clip = np.repeat(np.arange(CLIPS), count)
    vectors = np.eye(CLASSES, SIZE)[clip % CLASSES] + spread * rng.standard_normal((len(clip), SIZE))
    embeddings = CorpusEmbeddings(vectors.astype(np.float32), clip, count > 0)
    monkeypatch.setattr(Task, "embed", lambda self, model, space="h": embeddings)
    return Task(corpus, np.arange(45), np.arange(45, 60), np.arange(60, CLIPS)), embeddings


@pytest.mark.parametrize(("style", "epochs"), [("uclser", 100), ("cola", 1500), ("acl", 1500), ("logistic", None)])
def test_separable_classes_are_separated(monkeypatch, style, epochs):
    task, _ = made_up_task(monkeypatch, spread=0.1)
    assert linear(MadeUp(), task, style=style, epochs=epochs).metrics["accuracy"] == 1.0


@pytest.mark.parametrize("style", ["uclser", "cola"])
def test_same_seed_same_score_and_another_trains_otherwise(monkeypatch, style):
    task, _ = made_up_task(monkeypatch, spread=0.8)
    task.validation = task.validation[:0]
    found = []
    original = linear_module.judge
    monkeypatch.setattr(linear_module, "judge", lambda *a: (found.append(a[3]), original(*a))[1])
    for seed in (0, 0, 1):
        linear(MadeUp(), task, seed, style=style, epochs=3)
    assert np.array_equal(found[0], found[1]) and not np.array_equal(found[0], found[2])


def test_validation_picks_the_epoch_and_the_test_never_does(monkeypatch):
    task, _ = made_up_task(monkeypatch, spread=0.8)
    judged, original = [], linear_module.judge
    monkeypatch.setattr(linear_module, "judge", lambda *a: (judged.append(set(a[1])), original(*a))[1])
    score = linear(MadeUp(), task, epochs=7)
    assert [clips == set(task.validation) for clips in judged] == [True] * 7 + [False]
    assert judged[-1] == set(task.test) and score.details["chosen by"] == "validation"
    judged.clear()
    assert linear(MadeUp(), task, style="cola", epochs=7).details["epoch"] == 7
    assert len(judged) == 1


def test_logistic_equals_scikit_learn_on_standardised_means(monkeypatch):
    task, embeddings = made_up_task(monkeypatch, spread=0.8)
    means, targets = embeddings.clip_means(), task.corpus.targets()
    mean, deviation = means[task.train].mean(axis=0), means[task.train].std(axis=0)
    x = (means - mean) / deviation
    expected = LogisticRegression(C=0.1, max_iter=2000).fit(x[task.train], targets[task.train]).predict(x[task.test])
    predicted = linear(MadeUp(), task, style="logistic").judged.predicted
    assert np.array_equal(predicted, expected)


def test_logistic_pools_windows_as_it_is_asked_or_as_the_bundle_says(monkeypatch):
    task, embeddings = made_up_task(monkeypatch, spread=0.8)
    power = np.random.default_rng(1).exponential(size=len(embeddings.clip)).astype(np.float32)
    object.__setattr__(embeddings, "power", power)
    asked = [linear(MadeUp(), task, style="logistic", pool=pool) for pool in ("mean", "loudness", "mean+max+std")]
    scores = [score.judged.scores for score in asked]
    assert not np.allclose(scores[0], scores[1]) and not np.allclose(scores[1], scores[2])
    assert np.array_equal(linear(MadeUp(), task, style="logistic").judged.scores, scores[0])
    louder = MadeUp()
    louder.pool = "loudness"
    of_bundle = linear(louder, task, style="logistic")
    assert np.array_equal(of_bundle.judged.scores, scores[1]) and of_bundle.details["pool"] == "loudness"
    with pytest.raises(SoundviewsError, match="pool=max is for style=logistic"):
        linear(MadeUp(), task, style="cola", pool="max")


def test_several_labels_give_mean_average_precision(monkeypatch):
    labels = [[f"c{i % CLASSES}", "all"] if i % 2 else [f"c{i % CLASSES}"] for i in range(CLIPS)]
    task, _ = made_up_task(monkeypatch, labels, spread=0.1)
    for style in ("uclser", "logistic"):
        score = linear(MadeUp(), task, style=style)
        assert all(score.per_class[f"c{i}"] > 0.99 for i in range(CLASSES)), score
        assert score.per_class["all"] < 0.9
        assert score.metrics["mAP"] == pytest.approx(np.mean(list(score.per_class.values())))


def test_unreadable_clips_neither_train_nor_count(monkeypatch):
    task, _ = made_up_task(monkeypatch, spread=0.1, unreadable=(0, 61))
    for style in ("uclser", "cola", "logistic"):
        score = linear(MadeUp(), task, style=style, epochs=50)
        assert len(score.judged.truth) == 29


def test_a_test_class_without_training_clips_is_wrong_but_no_failure(monkeypatch):
    task, _ = made_up_task(monkeypatch, spread=0.1)
    targets = task.corpus.targets()
    task.train = task.train[targets[task.train] != 2]
    for style in ("uclser", "logistic"):
        score = linear(MadeUp(), task, style=style, epochs=50)
        assert score.per_class["c2"] == 0.0 and score.per_class["c0"] == 1.0


def test_averages_of_probabilities_and_of_logits_differ_as_they_should():
    logits = torch.tensor([[10.0, 0.0], [0.0, 2.0], [0.0, 2.0], [0.0, 2.0]])
    clip = np.zeros(4, dtype=np.int64)
    assert clip_scores(logits, clip, 1, True, "logits").argmax() == 0  # the mean is (2.5, 1.5)
    probabilities = clip_scores(logits, clip, 1, True, "probabilities")
    assert probabilities.argmax() == 1 and probabilities.sum() == pytest.approx(1)


def by_autograd(inputs, truth, chosen, batch_size):
    """One epoch of a loop over batches with autograd and PyTorch's plain optimiser."""
    layer = seeded_linear(SIZE, CLASSES, seed=0)
    optimizer, schedule = chosen.build(layer.parameters(), steps_per_epoch=1)
    for x, y in zip(inputs.split(batch_size), truth.split(batch_size), strict=True):
        optimizer.zero_grad()
        loss(layer(x), y).backward()
        optimizer.step()
        schedule.step()
    return layer


@pytest.mark.parametrize("style", ["uclser", "acl"])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_training_without_autograd_is_training_with_it(style, several, scaled):
    generator, chosen = torch.Generator().manual_seed(0), settings(style, epochs=20)
    vectors, windows = torch.randn(300, SIZE, generator=generator), torch.randperm(300, generator=generator)[:250]
    truth = torch.randint(CLASSES, (250,), generator=generator)
    if several:
        truth = (torch.rand(250, CLASSES, generator=generator) < 0.4).float()
    scaling = (torch.full((SIZE,), 0.3), torch.linspace(0.5, 2, SIZE)) if scaled else None
    classifier = LinearClassifier(seeded_linear(SIZE, CLASSES, seed=0), scaling)
    optimizer, schedule = chosen.build(classifier.layer.parameters(), steps_per_epoch=1, fused=True)
    classifier.train_epoch(optimizer, schedule, vectors, windows, truth, 16)
    inputs = (vectors - scaling[0]) / scaling[1] if scaled else vectors
    expected = by_autograd(inputs[windows], truth, chosen, 16)
    torch.testing.assert_close(classifier.layer.weight, expected.weight, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(classifier.layer.bias, expected.bias, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(classifier.logits(vectors), expected(inputs).detach(), rtol=1e-4, atol=1e-5)
    kept = classifier.copy()
    classifier.train_epoch(optimizer, schedule, vectors, windows, truth, 16)
    assert not torch.equal(kept.logits(vectors), classifier.logits(vectors))


@pytest.mark.parametrize("style", ["uclser", "acl", "logistic"])
def test_thresholds_of_several_labels_are_chosen_on_validation_clips(monkeypatch, style):
    labels = [[f"c{i % CLASSES}", "all"] if i % 2 else [f"c{i % CLASSES}"] for i in range(CLIPS)]
    task, _ = made_up_task(monkeypatch, labels, spread=0.1)
    score = linear(MadeUp(), task, style=style, epochs=5)
    assert "15 validation clips" in score.details["thresholds"] and "note" not in score.details
    assert score.judged.predicted.dtype == bool and score.judged.scores.shape == (30, 4)
    assert score.details["style"] == style
    task.validation = task.validation[:0]
    assert "thresholds of 0.5" in linear(MadeUp(), task, style=style, epochs=5).details["note"]


def test_settings_of_the_papers():
    layer = torch.nn.Linear(2, 2)
    optimizer, schedule = settings("uclser").build(layer.parameters(), steps_per_epoch=1)
    rates = []
    for _ in range(200):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert np.allclose(rates, [0.1] * 80 + [0.01] * 80 + [0.001] * 40)
    assert (optimizer.defaults["momentum"], optimizer.defaults["weight_decay"]) == (0.9, 1e-4)
    cola = settings("cola")
    assert (cola.optimizer, cola.lr, cola.batch_size, cola.epochs, cola.average) == ("adam", 1e-3, 64, 100, "logits")
    with pytest.raises(SoundviewsError, match="did you mean 'uclser'"):
        settings("uclsr")


@pytest.mark.parametrize("style", ["acl", "logistic"])
@pytest.mark.parametrize(
    ("part", "lost", "message"),
    [
        ("train", (0, 1, 2), "none of the 18 train clips is readable"),
        ("train", (0, 1), "all 6 train clips have the same label: middle"),
        ("test", (0, 1, 2), "none of the 6 test clips is readable"),
    ],
)
def test_parts_that_cannot_be_read_are_told(tones, style, part, lost, message):
    task = open_tasks(tones)[0]
    for clip in getattr(task, part)[np.isin(tones.targets()[getattr(task, part)], lost)]:
        open(tones.clip(int(clip)).path, "wb").close()
    with pytest.raises(SoundviewsError, match=message):
        evaluate(LogMelStatistics(8000), [task], [("linear", {"style": style})])


@pytest.mark.filterwarnings("ignore:overflow")
def test_weights_that_are_not_finite_are_no_classifier(tones):
    model = LogMelStatistics(8000)
    plain = model.embed_clips
    model.embed_clips = lambda clips, space="h": (plain(clips)[0] * 1e37, *plain(clips)[1:])
    with pytest.raises(SoundviewsError, match="standardize=true may help"):
        linear(model, open_tasks(tones)[0], style="uclser", epochs=3, standardize=False)
