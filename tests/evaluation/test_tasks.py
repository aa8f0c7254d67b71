"""Which clips train, choose and judge."""

import tracemalloc

import numpy as np
import pytest

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.parts import stratified_split
from soundviews.evaluation.tasks import open_tasks


def corpus(folds=None, splits=None, labels=None, clips=40) -> Corpus:
    labels = labels or [[f"class{i % 4}"] for i in range(clips)]
    return Corpus.from_columns(
        "/nowhere", [f"{i}.wav" for i in range(clips)], labels=labels, folds=folds, splits=splits
    )


def paths(task, part) -> set[str]:
    return {task.corpus.clip(i).path for i in getattr(task, part)}


FOLDS = [i % 5 + 1 for i in range(40)]


def test_folds_as_asked():
    task = open_tasks(corpus(FOLDS), train_folds=[1, 2], validation_folds=[4], test_folds=[3])[0]
    assert paths(task, "test") == {f"/nowhere/{i}.wav" for i in range(40) if FOLDS[i] == 3}
    assert len(task.train) == 16 and len(task.validation) == 8
    assert len(task.corpus) == 32  # fold 5 is never read


def test_all_folds_may_be_judged_where_nothing_trains():
    task = open_tasks(corpus(FOLDS), test_folds=[1, 2, 3, 4, 5])[0]
    assert len(task.test) == 40 and not len(task.train)
    with pytest.raises(SoundviewsError, match="needs train clips"):
        task.require("linear", "train", "test")


def test_by_default_the_last_fold_is_the_test():
    task = open_tasks(corpus(FOLDS))[0]
    assert {task.corpus.clip(i).fold for i in task.test} == {5}
    assert {task.corpus.clip(i).fold for i in task.train} == {1, 2, 3, 4}
    assert "test: fold 5" in task.description


def test_test_folds_alone_train_on_the_others():
    task = open_tasks(corpus(FOLDS), test_folds=[2])[0]
    assert {task.corpus.clip(i).fold for i in task.train} == {1, 3, 4, 5}


def test_splits_by_name_and_by_default():
    splits = ["train"] * 20 + ["val"] * 8 + ["test"] * 10 + [None] * 2
    for task in (
        open_tasks(corpus(splits=splits))[0],
        open_tasks(corpus(splits=splits), train_split="train", validation_split="val", test_split="test")[0],
    ):
        assert [len(part) for part in (task.train, task.validation, task.test)] == [20, 8, 10]


def test_a_part_may_be_several_splits():
    splits = (["balanced"] * 4 + ["unbalanced"] * 4 + ["eval"] * 4 + ["other"] * 8) * 2
    task = open_tasks(corpus(splits=splits), train_split=["balanced", "unbalanced"], test_split="eval")[0]
    assert set(task.corpus.column("split")[task.train]) == {"balanced", "unbalanced"} and len(task.train) == 16
    assert set(task.corpus.column("split")[task.test]) == {"eval"}
    assert task.description.startswith("train: split balanced, unbalanced (16 clips)")


def test_neither_folds_nor_splits_divides_by_class_and_seed():
    one, same, other = (open_tasks(corpus(), seed=seed)[0] for seed in (1, 1, 2))
    assert "stratified 80 % (seed 1)" in one.description
    assert np.bincount(one.corpus.targets()[one.test]).tolist() == [2, 2, 2, 2]
    assert one.test.tolist() == same.test.tolist() != other.test.tolist()
    assert sorted([*one.train, *one.test]) == list(range(40))


def test_stratified_split_of_several_labels():
    labels = np.random.default_rng(0).random((500, 12)) < np.linspace(0.02, 0.5, 12)
    train, test = stratified_split(labels, 0.2, seed=0)
    assert sorted([*train, *test]) == list(range(500))
    share = labels[test].sum(axis=0) / labels.sum(axis=0)
    assert (share > 0.08).all() and (share < 0.35).all()


@pytest.mark.parametrize("seed", range(20))
def test_stratified_split_equals_a_loop_over_classes(seed):
    rng = np.random.default_rng(seed)
    labels = rng.random((rng.integers(1, 60), rng.integers(1, 12))) < rng.random() * 0.5
    rarity = np.where(labels, labels.sum(axis=0), len(labels) + 1)
    second, order = set(), np.random.default_rng(seed).permutation(len(labels))
    for index in range(labels.shape[1]):
        clips = [clip for clip in order if rarity[clip].argmin() == index and labels[clip, index]]
        second.update(clips[: max(round(0.3 * len(clips)), 1) if len(clips) > 1 else 0])
    first, rest = stratified_split(labels, 0.3, seed)
    assert rest.tolist() == sorted(second) and sorted([*first, *rest]) == list(range(len(labels)))


def test_many_classes_are_divided_in_little_memory():
    labels = np.zeros((5000, 2500), bool)
    labels[np.arange(5000), np.arange(5000) % 2500] = True
    tracemalloc.start()
    _, test = stratified_split(labels, 0.2, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(np.unique(test % 2500)) == len(test) == 2500
    assert peak < labels.nbytes / 10  # eight bytes for each clip and class would be eight times its size


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([["a"], ["b"], [], ["a"]], "1 of these 4 clips have none"),
        ([["a"], ["a", "b"], [], ["b"]], "1 of these 4 clips have several: use linear or qbe"),
    ],
)
def test_clips_with_no_label_and_with_several_are_told_apart(labels, said):
    task = open_tasks(corpus([1, 1, 2, 2], labels=labels, clips=4))[0]
    with pytest.raises(SoundviewsError, match=f"exactly one label each, and {said}"):
        task.require("knn", "test", single_label=True)


def test_cross_validation_tests_every_clip_once():
    tasks = open_tasks(corpus(FOLDS), cross_validate=True)
    tested = [path for task in tasks for path in paths(task, "test")]
    assert len(tasks) == 5 and len(tested) == len(set(tested)) == 40
    assert all(not paths(task, "test") & paths(task, "train") for task in tasks)


def test_classes_without_clips_are_stated():
    labels = [["common"]] * 30 + [["only_train"]] * 5 + [["only_test"]] * 5
    task = open_tasks(corpus([1] * 15 + [2] * 15 + [1] * 5 + [2] * 5, labels=labels))[0]
    assert task.notes() == [
        "classes without train clips (nothing can learn them): only_test",
        "classes without test clips (nothing is said of them): only_train",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"test_folds": [9]}, "no clip for test"),
        ({"test_folds": 2}, r"test_folds= is a list of folds, as \[3\], not 2"),
        ({"train_folds": [1, 2], "test_folds": [2]}, "in two parts"),
        ({"train_folds": [1], "test_split": "test"}, "not by both"),
    ],
)
def test_impossible_choices_are_errors(given, message):
    with pytest.raises(SoundviewsError, match=message):
        open_tasks(corpus(FOLDS), **given)[0]


def test_a_corpus_without_labels_is_an_error():
    with pytest.raises(SoundviewsError, match="no labels"):
        open_tasks(Corpus.from_columns("/nowhere", ["a.wav"]))[0]


def test_without_labels_all_clips_are_the_test_where_no_label_is_needed():
    task = open_tasks(Corpus.from_columns("/nowhere", ["a.wav", "b.wav"]), labelled=False)[0]
    assert task.test.tolist() == [0, 1] and not len(task.train) and "all of it" in task.description
    folds = Corpus.from_columns("/nowhere", ["a.wav", "b.wav"], folds=[1, 2])
    assert paths(open_tasks(folds, test_folds=[1], labelled=False)[0], "test") == {"/nowhere/a.wav"}


def test_a_class_whose_clips_are_unreadable_has_none():
    task = open_tasks(corpus(FOLDS, labels=[["odd" if i == 4 else "common"] for i in range(40)]))[0]
    assert len(task.notes()) == 1 and "train clips" in task.notes()[0]
    task.skipped["/nowhere/4.wav"] = "damaged"
    assert "classes without test clips (nothing is said of them): odd" in task.notes()


def test_a_share_of_the_training_clips_can_be_held_out(tones):
    plain, task = open_tasks(tones)[0], open_tasks(tones, validation_share=0.3)[0]
    assert np.array_equal(task.test, plain.test)
    assert sorted([*task.train, *task.validation]) == plain.train.tolist()
    assert np.bincount(tones.targets()[task.validation]).tolist() == [2, 2, 2]  # of six clips a class
    assert np.array_equal(open_tasks(tones, validation_share=0.3)[0].validation, task.validation)
    assert "validation: a stratified 30 % held out from train (seed 0) (6 clips)" in task.description
    for fold in open_tasks(tones, cross_validate=True, validation_share=0.3):
        assert len(fold.validation) == 6 and not np.isin(fold.validation, fold.test).any()


def test_nothing_is_held_out_where_it_makes_no_sense(tones):
    with pytest.raises(SoundviewsError, match="has validation clips"):
        open_tasks(tones, train_folds=[1], validation_folds=[2], test_folds=[3], validation_share=0.1)[0]
    with pytest.raises(SoundviewsError, match="no training clips"):
        open_tasks(tones, test_split="test", validation_share=0.1)[0]


def test_a_folder_or_a_task_is_opened_too(tones):
    (opened,), (task,) = open_tasks(tones.root, labelled=False), open_tasks(tones)
    assert len(opened.corpus) == len(tones) and open_tasks(task) == [task]
    with pytest.raises(SoundviewsError, match="has its parts already"):
        open_tasks(task, cross_validate=True)
    with pytest.raises(SoundviewsError, match="give no folds or splits"):
        open_tasks(tones, cross_validate=True, test_folds=[1])
