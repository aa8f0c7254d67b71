"""The same call goes on with its run; another one is refused and told what differs; a corpus object is kept."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from soundviews.audio.corpus import Corpus
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus
from soundviews.pretraining.module import Pretraining
from soundviews.pretraining.run import pretrain, resume
from soundviews.pretraining.settings import Environment, RunSettings
from soundviews.recipes.schema import Recipe

Make = Callable[..., Recipe]


def weights(run: Path) -> bytes:
    return (run / "bundle" / "model.safetensors").read_bytes()


def interrupt(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    step = Pretraining.training_step

    def failing(self: Pretraining, batch: object, index: int) -> torch.Tensor:
        if index == at:
            raise RuntimeError("power cut")
        return step(self, batch, index)  # type: ignore[arg-type]

    monkeypatch.setattr(Pretraining, "training_step", failing)


@pytest.mark.parametrize("given", ["name", "corpus"])
@pytest.mark.parametrize("again", ["call", "resume"])
def test_the_same_call_goes_on(
    given: str, again: str, tiny_recipe: Make, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe("training.steps=4", "training.checkpoint_steps=1")
    data = str(labelled) if given == "name" else open_corpus(labelled)
    whole = pretrain(recipe, data, tmp_path / "whole", workers=0)
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power cut"):
        interrupt(patch, 2)
        pretrain(recipe, data, tmp_path / "run", workers=0)
    assert not (tmp_path / "run" / "bundle").exists()
    monkeypatch.chdir(tmp_path)
    run = resume(tmp_path / "run") if again == "resume" else pretrain(recipe, data, tmp_path / "run", workers=0)
    assert weights(whole) == weights(run)
    assert (run / "corpus.arrow").is_file() == (given == "corpus")


def test_a_run_of_an_earlier_version_goes_on(
    tiny_recipe: Make, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knew its recordings by size and time."""
    run = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power cut"):
        interrupt(patch, 2)
        pretrain(tiny_recipe("training.steps=4", "training.checkpoint_steps=1"), str(labelled), run, workers=0)
    page = json.loads((run / "environment.json").read_text())
    page["corpus"]["fingerprint"] = open_corpus(labelled)._fingerprint_by_time()
    (run / "environment.json").write_text(json.dumps(page))
    assert (resume(run) / "bundle").is_dir()


def test_a_finished_run_is_left_as_it_is(
    tiny_recipe: Make, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe("training.steps=2")
    run = pretrain(recipe, labelled, tmp_path / "run", workers=0)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    interrupt(monkeypatch, 0)
    assert pretrain(recipe, labelled, tmp_path / "run", workers=0) == run
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()} == before


def test_a_file_is_no_directory_for_a_run(tiny_recipe: Make, labelled: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(SoundviewsError, match="run is a file: out= is a directory to make"):
        pretrain(tiny_recipe(), labelled, tmp_path / "run", workers=0)


def test_another_run_is_refused_and_the_difference_named(
    tiny_recipe: Make, labelled: Path, corpus: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe("training.steps=2")
    run = pretrain(recipe, labelled, tmp_path / "run", workers=0)
    kept = weights(run)
    with pytest.raises(SoundviewsError, match=r"training\.steps is 2 there and 3 here"):
        pretrain(tiny_recipe("training.steps=3"), labelled, run, workers=0)
    with pytest.raises(SoundviewsError, match=r"data is '.*labelled' there and '.*corpus' here"):
        pretrain(recipe, corpus, run, workers=0)
    with pytest.raises(SoundviewsError, match=r"data is '.*labelled' there and 'corpus.arrow' here"):
        pretrain(recipe, open_corpus(corpus), run, workers=0)
    with pytest.raises(SoundviewsError, match="evaluation_data None"):
        pretrain(recipe, labelled, run, workers=0, evaluation_data=labelled)
    (labelled / "a" / "0.wav").unlink()
    with pytest.raises(SoundviewsError, match="has changed since the run started"):
        pretrain(recipe, labelled, run, workers=0)
    assert weights(run) == kept


def test_a_corpus_with_a_relative_root_is_found_from_anywhere(
    tiny_recipe: Make, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    opened = open_corpus(labelled)
    relative = Corpus("labelled", opened.table, opened.vocabulary)
    judge = "evaluation={protocol: qbe, metric: mAP, steps: 1}"
    run = pretrain(
        tiny_recipe("training.steps=1", judge), relative, tmp_path / "run", workers=0, evaluation_data=relative
    )
    assert Corpus.load(run / "evaluation_corpus.arrow").root == str(labelled)
    monkeypatch.chdir("/")
    assert resume(run) == run


def test_settings_are_read_as_they_were_written(tiny_recipe: Make, labelled: Path, tmp_path: Path) -> None:
    run = pretrain(tiny_recipe("training.steps=1"), labelled, tmp_path / "run", workers=0, strict=True, folds=None)
    environment = Environment.read(run)
    assert environment.settings == RunSettings(data=str(labelled), workers=0, strict=True)
    assert environment.corpus.clips == 12
    page = json.loads((run / "environment.json").read_text())
    page["settings"]["colour"] = "blue"
    (run / "environment.json").write_text(json.dumps(page))
    with pytest.raises(SoundviewsError, match="no run that can be resumed"):
        resume(run)
