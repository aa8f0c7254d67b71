"""What can be judged, opened."""

import torch

from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.opening import open_model, source_name
from soundviews.model.bundle import save_bundle


def test_opened_models_are_taken_as_they_are(tiny_model):
    statistics = LogMelStatistics(8000)
    assert open_model(tiny_model) is tiny_model and open_model(statistics, "cpu") is statistics
    assert source_name(tiny_model) == "tiny" and source_name("hear:m") == "hear:m"


def test_a_model_elsewhere_is_copied_to_the_device(tiny_model):
    moved = open_model(tiny_model, torch.device("meta"))
    assert moved is not tiny_model and moved.device == torch.device("meta")
    assert tiny_model.device == torch.device("cpu") and next(tiny_model.encoder.parameters()).device.type == "cpu"
    assert moved.fingerprint == tiny_model.fingerprint


def test_a_path_is_a_bundle(tiny_model, tmp_path):
    path = save_bundle(tmp_path / "run/bundle", tiny_model.config, tiny_model.encoder)
    assert open_model(path).embedding_size == open_model(str(tmp_path / "run"), "auto").embedding_size == 512
