"""Parts of our own, named by a recipe."""

from pathlib import Path

import pytest
import torch

import soundviews as sv
from examples import own_parts, sklearn_on_embeddings

SHORT: dict[str, object] = {"training.steps": 3, "training.batch_size": 8, "evaluation": None}


@pytest.fixture(scope="module")
def judged(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[sv.Model, sv.Evaluation]:
    out = tmp_path_factory.mktemp("runs") / "own"
    return own_parts.pretrain_and_judge(scenes, scenes, out, SHORT)


def test_a_recipe_names_them_and_the_encoder_is_judged(judged: tuple[sv.Model, sv.Evaluation]) -> None:
    model, result = judged
    assert isinstance(model.encoder, own_parts.PooledMLP)
    values = {row.system: row.value for row in result.rows}
    assert len(values) > 1 and all(0 <= value <= 1 for value in values.values())


def test_the_view_flips_about_half_of_the_examples() -> None:
    snippets = torch.ones(1000, 4)
    flipped = own_parts.FlipPolarity()(snippets, sv.Randomness(0))
    assert 400 < int((flipped == -1).all(1).sum()) < 600 and bool((flipped.abs() == 1).all())


def test_scikit_learn_takes_embeddings(judged: tuple[sv.Model, sv.Evaluation], scenes: Path) -> None:
    model, _ = judged
    accuracy, classifier = sklearn_on_embeddings.classify(model, scenes, lambda clips: clips.split == "test")
    _, clips = sv.embed(model, scenes)
    assert 0 <= accuracy <= 1
    assert set(classifier.classes_) <= set(range(len(clips.classes)))
