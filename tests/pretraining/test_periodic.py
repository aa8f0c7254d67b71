"""Which checkpoint a run keeps as its best: from a plateau of evaluations, the same after a resumed run."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import Registered
from soundviews.datasets.opening import open_corpus
from soundviews.evaluation.score import Score, gives, gives_of, protocols
from soundviews.evaluation.tasks import Task
from soundviews.pretraining.log import read_metrics
from soundviews.pretraining.periodic import judging_task
from soundviews.pretraining.run import pretrain, resume
from soundviews.pretraining.settings import RunSettings
from soundviews.recipes.loading import load_recipe
from soundviews.recipes.schema import Recipe

SCORES = [0.1, 0.9, 0.2, 0.6, 0.7, 0.5, 0.55]  # a lone spike at the second, a plateau from the fourth on


def scripted(monkeypatch: pytest.MonkeyPatch, values: list[float]) -> None:
    """Make query by example answer with these values, one after the other, and then fail."""
    script = iter(values)

    def judge(model: object, task: object, seed: int) -> Score:
        value = next(script, None)
        if value is None:
            raise RuntimeError("the script is at its end")
        return Score({"mAP": value}, {})

    monkeypatch.setitem(protocols._registered, "qbe", Registered(judge, {}))


@pytest.fixture
def judged_run(tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path) -> Callable[[int], Path]:
    """Runs judged after each step, with a checkpoint after each; the plateau is their argument."""

    def run(plateau: int) -> Path:
        judge = f"evaluation={{protocol: qbe, metric: mAP, steps: 1, plateau: {plateau}}}"
        recipe = tiny_recipe(f"training.steps={len(SCORES)}", "training.checkpoint_steps=1", judge)
        return pretrain(recipe, str(labelled), tmp_path / "run", workers=0, evaluation_data=str(labelled))

    return run


def best_step(run: Path) -> int:
    return int(torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["global_step"])


@pytest.mark.parametrize(("plateau", "step"), [(1, 2), (2, 5), (3, 6), (7, 7), (20, 7)])
def test_best_is_where_the_mean_of_the_last_evaluations_is_highest(
    plateau: int, step: int, judged_run: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Means of two: .5 .55 .4 .65 .6 .525; of three: .4 .567 .5 .6 .583; of seven, or more than there are: the end."""
    scripted(monkeypatch, SCORES)
    run = judged_run(plateau)
    assert best_step(run) == step
    assert read_metrics(run / "metrics.csv")["eval_mAP"] == list(enumerate(SCORES))  # the curve stays as it was
    last = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == len(SCORES)


def test_there_is_no_best_before_the_first_plateau(
    judged_run: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, SCORES[:2])
    with pytest.raises(RuntimeError, match="script"):  # at the third, where the first mean of three was due
        judged_run(3)
    assert not (tmp_path / "run" / "checkpoints" / "best.ckpt").exists()
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").exists()


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_resumed_run_picks_as_one_that_never_stopped(
    stop: int, judged_run: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, SCORES[:stop])
    with pytest.raises(RuntimeError, match="script"):
        judged_run(3)
    scripted(monkeypatch, SCORES[stop:])
    assert best_step(resume(tmp_path / "run")) == 6
    assert read_metrics(tmp_path / "run" / "metrics.csv")["eval_mAP"] == list(enumerate(SCORES))


def test_a_plateau_is_at_least_one_evaluation() -> None:
    with pytest.raises(SoundviewsError, match="plateau"):
        load_recipe("uclser", ["evaluation={protocol: qbe, metric: mAP, steps: 1, plateau: 0}"])


@pytest.mark.parametrize(
    ("evaluation", "message"),
    [
        ("{protocol: kn, metric: accuracy, steps: 1}", "unknown protocol 'kn': did you mean 'knn'"),
        ("{protocol: 'knn:kk=3', metric: accuracy, steps: 1}", "protocol 'knn' has no option 'kk'"),
        ("{protocol: knn, metric: accurcy, steps: 1}", "no metric 'accurcy': did you mean 'accuracy'"),
        ("{protocol: qbe, metric: accuracy, steps: 1}", "qbe has no metric 'accuracy'"),
        ("{protocol: scratch, metric: accuracy, steps: 1}", "does not judge the encoder that a run trains"),
    ],
)
@pytest.mark.parametrize("judged", [False, True])
def test_what_cannot_be_judged_fails_before_anything_is_read(
    evaluation: str, message: str, judged: bool, tiny_recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe, nowhere = tiny_recipe(f"evaluation={evaluation}"), str(tmp_path / "nowhere")
    with pytest.raises(SoundviewsError, match=message):
        pretrain(recipe, nowhere, tmp_path / "run", evaluation_data=nowhere if judged else None)
    assert not (tmp_path / "run").exists()


def test_a_metric_that_the_labels_do_not_allow_fails_before_the_first_step(
    tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe("evaluation={protocol: linear, metric: mAP, steps: 1}")
    with pytest.raises(SoundviewsError, match=r"linear gives no mAP of .*, whose clips have one label each"):
        pretrain(recipe, labelled, tmp_path / "run", evaluation_data=labelled)
    assert not (tmp_path / "run").exists()


def split_corpus(labelled: Path) -> Corpus:
    """The recordings of `labelled`: two of each class "clean", the others "noisy"."""
    corpus = open_corpus(labelled)
    column = corpus.table.schema.get_field_index("split")
    splits = pa.array(["clean" if Path(path).stem in "0123" else "noisy" for path in corpus.column("path")])
    return Corpus(corpus.root, corpus.table.set_column(column, "split", splits), corpus.vocabulary)


def test_splits_choose_the_clips_that_are_judged(tiny_recipe: Callable[..., Recipe], labelled: Path) -> None:
    recipe = tiny_recipe("evaluation={protocol: knn, metric: accuracy, steps: 1}")
    settings = RunSettings(data="", evaluation_data="corpus", evaluation_splits=["clean"])
    task = judging_task(recipe, settings, split_corpus(labelled))
    assert task is not None
    assert sorted(Path(path).stem for path in task.corpus.column("path")[task.test]) == ["0", "1", "2", "3"]
    settings.evaluation_splits = ["cleen"]
    with pytest.raises(SoundviewsError, match=r"corpus has no labelled clips in splits \['cleen'\] to judge by"):
        judging_task(recipe, settings, split_corpus(labelled))


def test_a_protocol_has_its_options_and_a_run_its_splits(
    tiny_recipe: Callable[..., Recipe], labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[object, int]] = []

    @gives(several_labels=(), trains=False)
    def judge(model: object, task: Task, seed: int, as_released: bool = False) -> Score:
        seen.append((as_released, len(task.test)))
        return Score({"accuracy": 0.5}, {})

    monkeypatch.setitem(protocols._registered, "knn", Registered(judge, {}))
    options = ("training.steps=1", "evaluation={protocol: 'knn:as_released=true', metric: accuracy, steps: 1}")
    recipe, corpus = tiny_recipe(*options), split_corpus(labelled)
    run = pretrain(recipe, corpus, tmp_path / "run", workers=0, evaluation_data=corpus, evaluation_splits=["clean"])
    assert seen == [(True, 4)]
    with pytest.raises(SoundviewsError, match=r"evaluation_splits \['clean'\], not \['noisy'\]"):
        pretrain(recipe, corpus, run, workers=0, evaluation_data=corpus, evaluation_splits=["noisy"])


@pytest.mark.parametrize("name", sorted(protocols.names()))
def test_every_protocol_says_what_it_gives(name: str) -> None:
    gives = gives_of(protocols.get(name))
    assert gives is not None and gives.single_label
