"""The shallow network on embeddings made up for the purpose, against scikit-learn's network."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from sklearn.neural_network import MLPClassifier

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation import evaluate
from soundviews.evaluation.embeddings import CorpusEmbeddings
from soundviews.evaluation.protocols import shallow as shallow_module
from soundviews.evaluation.protocols.shallow import (
    Examples,
    average_precisions,
    clip_probabilities,
    draw_validation,
    shallow,
    shallow_network,
)
from soundviews.evaluation.tasks import Task

CLIPS, CLASSES, SIZE = 400, 6, 16


class MadeUp:
    name, fingerprint, sample_rate, head = "made up", "", 8000, None


class Problem:
    """Clips of one to three windows whose labels are quadrants of hidden directions: no linear classifier will do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, unreadable: tuple[int, ...] = (), single: bool = False) -> None:
        rng = np.random.default_rng(0)
        centres = rng.standard_normal((CLIPS, SIZE))
        directions = rng.standard_normal((2, SIZE, CLASSES))
        self.truth = (centres @ directions[0] > 0) & (centres @ directions[1] > 0)
        if single:
            self.truth = np.eye(CLASSES, dtype=bool)[(centres @ directions[0]).argmax(axis=1)]
        names = [[f"c{i}" for i in np.flatnonzero(row)] for row in self.truth]
        corpus = Corpus.from_columns("/nowhere", [f"{i}.wav" for i in range(CLIPS)], labels=names)
        count = rng.integers(1, 4, CLIPS)
        count[list(unreadable)] = 0
        self.clip = np.repeat(np.arange(CLIPS), count)
        windows = centres[self.clip] + 0.3 * rng.standard_normal((len(self.clip), SIZE))
        self.embeddings = CorpusEmbeddings(windows.astype(np.float32), self.clip, count > 0)
        monkeypatch.setattr(Task, "embed", lambda task, model, space="h": self.embeddings)
        self.task = Task(corpus, np.arange(240), np.arange(240, 300), np.arange(300, CLIPS))

    def without_validation(self) -> Task:
        self.task.validation = self.task.validation[:0]
        return self.task

    def scaled(self, factors: np.ndarray | float) -> None:
        vectors = self.embeddings.vectors * factors
        kept, skipped = self.embeddings.kept, self.embeddings.skipped
        self.embeddings = CorpusEmbeddings(vectors.astype(np.float32), self.clip, kept, skipped)

    def scikit_learn(self) -> float:
        """mAP of the test clips by scikit-learn's network of the same shape, on the same windows."""
        unit = self.embeddings.vectors / np.linalg.norm(self.embeddings.vectors, axis=1, keepdims=True)
        fitted = np.isin(self.clip, self.task.train)
        other = MLPClassifier((512,), alpha=0.0, batch_size=64, max_iter=40, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has not converged
            other.fit(unit[fitted], self.truth[self.clip[fitted]])
        probabilities = other.predict_proba(unit)
        means = np.array([probabilities[self.clip == clip].mean(axis=0) for clip in self.task.test])
        return float(average_precision_score(self.truth[self.task.test], means))


def test_as_good_as_scikit_learn_s_network(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(monkeypatch)
    found = shallow(MadeUp(), problem.task, batch_size=64, rounds=5)
    assert found.value == pytest.approx(problem.scikit_learn(), abs=0.03)
    assert found.value > 0.75 > 0.5 > problem.truth.mean()
    assert found.value == pytest.approx(np.mean(list(found.per_class.values())))
    assert set(found.per_class) == {f"c{i}" for i in range(CLASSES)}


def test_one_label_a_clip_works_too(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(monkeypatch, single=True)
    found = shallow(MadeUp(), problem.task, batch_size=64, rounds=5)
    assert found.measure == "mAP"
    assert found.value == pytest.approx(problem.scikit_learn(), abs=0.04)


def test_the_length_of_an_embedding_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shallow_module, "STEPS_A_ROUND", 3)
    problem = Problem(monkeypatch)
    plain = shallow(MadeUp(), problem.task, rounds=3)
    problem.scaled(2.0 ** np.random.default_rng(1).integers(-8, 9, (len(problem.clip), 1)))  # exact in float32
    scaled = shallow(MadeUp(), problem.task, rounds=3)
    assert scaled == plain


def test_the_seed_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shallow_module, "STEPS_A_ROUND", 3)
    task = Problem(monkeypatch).without_validation()
    one, same, other = (shallow(MadeUp(), task, seed, rounds=2) for seed in (0, 0, 1))
    assert one == same and one.per_class != other.per_class
    assert not one.deterministic


@pytest.mark.parametrize("given", [True, False])
def test_validation_clips_are_never_trained_on(given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(monkeypatch, unreadable=(3, 250))
    task = problem.task if given else problem.without_validation()
    monkeypatch.setattr(shallow_module, "STEPS_A_ROUND", 1)
    trained: list[np.ndarray] = []
    judged: list[set[int]] = []
    gather, judge = Examples.targets, shallow_module.average_precisions
    monkeypatch.setattr(Examples, "targets", lambda self, rows: (trained.append(rows), gather(self, rows))[1])
    monkeypatch.setattr(shallow_module, "average_precisions", lambda *a: (judged.append(set(a[2])), judge(*a))[1])
    found = shallow(MadeUp(), task, rounds=2, patience=10)
    fitted = set(problem.clip[np.concatenate(trained)])
    validation = judged[0]
    assert judged == [validation, validation]
    assert not fitted & (validation | set(task.test))
    if given:
        assert fitted == set(task.train) - {3} and validation == set(task.validation) - {250}
    else:
        assert fitted | validation == set(task.train) - {3}
        assert found.details["validation clips"] == len(validation) == 12  # 5 % of 239
    assert len(np.concatenate(trained)) == 2 * np.isin(problem.clip, list(fitted)).sum()  # each window once an epoch


@pytest.mark.parametrize(("batch_size", "epochs"), [(512, 100), (64, 13), (2, 1)])
def test_a_round_is_an_epoch_or_as_many_as_make_100_steps(
    batch_size: int, epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """240 clips of 1 to 3 windows are 1 batch of 512, 8 of 64, and more than 100 of 2."""
    task, seen, train = Problem(monkeypatch).task, [], shallow_module.train_epoch
    monkeypatch.setattr(shallow_module, "train_epoch", lambda *a: (seen.append(len(a[3])), train(*a)))
    assert shallow(MadeUp(), task, rounds=1, batch_size=batch_size).details["epoch"] == epochs
    assert len(seen) == epochs and seen[0] > 240


@pytest.mark.parametrize(("clips", "validating"), [(2, 1), (10, 1), (40, 2), (1000, 50)])
def test_five_percent_and_at_least_one(clips: int, validating: int) -> None:
    train, validation = draw_validation(np.arange(5, 5 + clips), np.random.default_rng(0))
    assert len(validation) == validating
    assert sorted([*train, *validation]) == list(range(5, 5 + clips))


def test_the_best_round_is_used_and_patience_ends_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shallow_module, "STEPS_A_ROUND", 3)
    problem = Problem(monkeypatch)
    script, weights = iter([0.2, 0.5, 0.1, 0.5, 0.3]), []

    def scripted(network: torch.nn.Module, examples: Examples, clips: np.ndarray) -> np.ndarray:
        weights.append(network[0].weight.detach().clone())
        return np.full(CLASSES, next(script))

    def at_the_end(network: torch.nn.Module, examples: Examples, clips: np.ndarray) -> np.ndarray:
        weights.append(network[0].weight.detach().clone())
        return clip_probabilities(network, examples, clips)

    monkeypatch.setattr(shallow_module, "average_precisions", scripted)
    monkeypatch.setattr(shallow_module, "clip_probabilities", at_the_end)
    found = shallow(MadeUp(), problem.task, patience=3)
    assert found.details["round"] == 2 and found.details["validation mAP"] == 0.5
    assert len(weights) == 7  # rounds 3, 4 and 5 brought nothing better; then the test, and thresholds
    assert all(torch.equal(at_end, weights[1]) for at_end in weights[5:]) and not torch.equal(weights[1], weights[4])


def test_a_clip_is_the_mean_of_its_windows_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(monkeypatch, unreadable=(7,))
    monkeypatch.setattr(shallow_module, "JUDGED_AT_ONCE", 5)  # blocks end inside clips
    examples = Examples(problem.embeddings.vectors, problem.clip, np.packbits(problem.truth, axis=1), CLASSES)
    network = shallow_network(SIZE, CLASSES, seed=0)
    clips = np.array([2, 3, 7, 200])
    unit = problem.embeddings.vectors / np.linalg.norm(problem.embeddings.vectors, axis=1, keepdims=True)
    expected = np.zeros((4, CLASSES))
    for place in (0, 1, 3):
        own = torch.from_numpy(unit[problem.clip == clips[place]])
        expected[place] = network(own).sigmoid().mean(dim=0).detach().numpy()
    np.testing.assert_allclose(clip_probabilities(network, examples, clips), expected, atol=1e-6)


def test_classes_that_a_part_lacks_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shallow_module, "STEPS_A_ROUND", 3)
    problem = Problem(monkeypatch)
    task, lacks = problem.task, problem.truth[:, 0]
    task.train, task.validation = task.train[~lacks[task.train]], task.validation[~lacks[task.validation]]
    found = shallow(MadeUp(), task, rounds=3)
    assert np.isfinite(found.value) and "c0" in found.per_class  # judged, though nothing was learned of it
    assert (found.details["validation classes"], found.details["classes judged"]) == (5, 6)
    task.test = task.test[~lacks[task.test]]
    found = shallow(MadeUp(), task, rounds=3)
    assert "c0" not in found.per_class and found.details["classes judged"] == 5


def test_few_clips_and_a_validation_that_cannot_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shallow_module, "STEPS_A_ROUND", 3)
    task = Problem(monkeypatch).without_validation()
    task.train = task.train[:10]
    result = evaluate(MadeUp(), [task], [("shallow", {"rounds": 4, "patience": 1})])
    details = result.rows[0].details
    assert (details["validation clips"], details["chosen by"], details["round"]) == (1, "the last round", 4)
    assert "no mAP of the validation clips" in result.notes[0]
    task.train = task.train[:1]
    with pytest.raises(SoundviewsError, match="all 1 train clips"):
        shallow(MadeUp(), task)
    task.train, task.test = np.arange(10), np.arange(300, 301)
    with pytest.raises(SoundviewsError, match="test clips"):
        shallow(MadeUp(), task, rounds=1)


def test_zero_vectors_are_harmless_and_nan_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shallow_module, "STEPS_A_ROUND", 3)
    problem = Problem(monkeypatch)
    problem.scaled(np.where(np.arange(len(problem.clip)) % 3 == 0, 0.0, 1.0)[:, None])
    assert 0 < shallow(MadeUp(), problem.task, rounds=2).value < 1
    problem.scaled(np.nan)
    with pytest.raises(SoundviewsError, match="NaN"):
        shallow(MadeUp(), problem.task, rounds=1)


def test_embeddings_stay_on_disk_and_labels_packed(tmp_path: Path) -> None:
    """What a batch needs is all that is brought into memory: three clips' windows, not the file."""
    rng, classes = np.random.default_rng(0), 527
    truth = rng.random((50, classes)) < 0.01
    stored = rng.standard_normal((150, 8)).astype(np.float32)
    stored.tofile(tmp_path / "vectors")
    vectors = np.memmap(tmp_path / "vectors", dtype=np.float32, mode="c", shape=stored.shape)
    examples = Examples(vectors, np.repeat(np.arange(50), 3), np.packbits(truth, axis=1), classes)
    rows = examples.rows(np.array([4, 9]))
    assert rows.dtype == np.uint32 and rows.tolist() == [12, 13, 14, 27, 28, 29]
    assert examples.labels.nbytes == 50 * 66
    unit = stored[rows] / np.linalg.norm(stored[rows], axis=1, keepdims=True)
    np.testing.assert_allclose(examples.inputs(rows).numpy(), unit, atol=1e-6)
    assert np.array_equal(examples.targets(rows).numpy(), truth[[4, 4, 4, 9, 9, 9]])
    network = shallow_network(8, classes, seed=0)
    found = average_precisions(network, examples, np.arange(50))
    scores = clip_probabilities(network, examples, np.arange(50))
    some = int(np.flatnonzero(truth.any(axis=0))[0])
    assert found[some] == pytest.approx(average_precision_score(truth[:, some], scores[:, some]))
    assert np.array_equal(np.isnan(found), ~truth.any(axis=0))
