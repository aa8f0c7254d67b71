"""What can be judged, opened."""

import numpy as np
import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.baselines import LogMelStatistics
from soundviews.evaluation.opening import open_model, source_name
from soundviews.features import Clips, create_front_end
from soundviews.model.bundle import save_bundle
from soundviews.recipes.loading import load_recipe


def test_opened_models_are_taken_as_they_are(tiny_model):
    statistics = LogMelStatistics(8000)
    assert open_model(tiny_model) is tiny_model and open_model(statistics, "cpu") is statistics
    assert source_name(tiny_model) == "tiny" and source_name("hear:m") == "hear:m"


def test_a_model_elsewhere_is_copied_to_the_device(tiny_model):
    moved = open_model(tiny_model, torch.device("meta"))
    assert moved is not tiny_model and moved.device == torch.device("meta")
    assert tiny_model.device == torch.device("cpu") and next(tiny_model.encoder.parameters()).device.type == "cpu"
    assert moved.fingerprint == tiny_model.fingerprint


def test_log_mel_of_a_recipe_is_what_its_encoder_hears():
    model = open_model("logmel:ssep")
    samples = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 48_000)).astype(np.float32))
    vectors, clip, starts = model.embed_clips(Clips(samples, torch.tensor([48_000, 20_000])))
    recipe = load_recipe("ssep")
    frames = create_front_end(recipe.features, 16_000)(samples[:1])[0]  # 298 frames: three windows of 96
    assert clip.tolist() == [0, 0, 0, 1] and starts[1] == pytest.approx(0.96)
    assert vectors.shape == (4, model.embedding_size) == (4, 96 * 64)
    torch.testing.assert_close(vectors[:3].unflatten(1, (96, 64)).flatten(0, 1), frames[:288])
    assert model.fingerprint != open_model("logmel:uclser").fingerprint == open_model("logmel:uclser").fingerprint
    with pytest.raises(SoundviewsError, match="ssepp"):
        open_model("logmel:ssepp")


def test_a_path_is_a_bundle(tiny_model, tmp_path):
    path = save_bundle(tmp_path / "run/bundle", tiny_model.config, tiny_model.encoder)
    assert open_model(path).embedding_size == open_model(str(tmp_path / "run"), "auto").embedding_size == 512
