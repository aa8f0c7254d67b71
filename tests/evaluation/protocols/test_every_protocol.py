"""Every registered protocol, swept: on the options that its registration shows, and as the others are called."""

import inspect

import numpy as np
import pytest

from soundviews.audio.corpus import Corpus
from soundviews.evaluation import Score, open_tasks
from soundviews.evaluation.score import gives_of, protocols
from soundviews.model import Model


@pytest.mark.parametrize("name", protocols.names())
def test_every_protocol_scores_a_model(name: str, tones: Corpus, tiny_model: Model) -> None:
    protocol, options = protocols.get(name), protocols.example(name)
    assert list(inspect.signature(protocol).parameters)[:3] == ["model", "task", "seed"]
    (task,) = open_tasks(tones, cache=None, workers=0)
    score = protocol(tiny_model, task, 0, **options)
    assert isinstance(score, Score)
    assert score.metrics and all(isinstance(value, float) for value in score.metrics.values())
    assert np.isfinite(score.value)
    declared = gives_of(protocol)
    if declared is not None:
        assert set(score.metrics) <= set(declared.single_label)
    again = protocol(tiny_model, task, 0, **options)
    assert again.metrics == score.metrics and again.per_class == score.per_class
