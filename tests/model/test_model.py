"""A loaded model: the public names, and windows as cola's evaluation cuts them."""

from pathlib import Path

import numpy as np
import pytest
import torch

import soundviews as sv
from soundviews.core.errors import SoundviewsError
from soundviews.features.patches import Clips
from soundviews.model import Model
from soundviews.model.bundle import save_bundle
from soundviews.recipes.schema import WindowSettings


def noise(samples: int, level: float = 0.1, seed: int = 0) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def test_public_names() -> None:
    assert {"cnn14", "vgg_like", "crnn", "resnet18", "efficientnet_b0"} <= set(sv.list_encoders())
    assert sv.create_encoder("vgg_like")(torch.zeros(2, 1, 101, 96)).shape == (2, 512)
    assert sv.features.LogMel(sample_rate=16000)(torch.zeros(2, 16000)).shape == (2, 98, 64)
    z = torch.eye(3)
    assert sv.objectives.nt_xent(z, z, 0.2).ndim == 0
    assert sv.objectives.bilinear_contrast(z, z, torch.zeros(3, 3)) == pytest.approx(np.log(3))
    found = sv.evaluation.query_by_example(np.eye(4)[[0, 0, 1, 1]], np.eye(2, dtype=bool)[[0, 0, 1, 1]])
    assert found.map == 1.0


@pytest.mark.parametrize("samples", [1, 4000, 15_680, 16_000, 40_000])
@torch.inference_mode()
def test_cola_windows_are_those_of_the_released_program(cola: Model, samples: int) -> None:
    """tf.signal.frame(15680, 15680, pad_end=True), x / sqrt(max(sum x^2, 1e-9)), the log-mel of each."""
    waveform = noise(samples)
    count = -(-samples // 15_680)
    frames = np.pad(waveform, (0, count * 15_680 - samples)).reshape(count, 15_680).astype(np.float64)
    frames /= np.sqrt(np.maximum((frames**2).sum(axis=1, keepdims=True), 1e-9))
    expected = sv.features.LogMel(sample_rate=16_000, **cola.config.features)(torch.from_numpy(frames).float())
    longer = torch.zeros(1, 50_000)  # as in a batch with a longer clip
    longer[0, :samples] = torch.from_numpy(waveform)
    found = cola.windows(Clips(longer, torch.tensor([samples])))
    assert found.patches.shape == (count, 96, 64)
    torch.testing.assert_close(found.patches, expected, atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(found.starts, np.arange(count) * 0.98, atol=1e-6)


@torch.inference_mode()
def test_a_window_of_near_silence_is_not_raised_to_full_level(cola: Model) -> None:
    """Below a norm of sqrt(1e-9), all windows are scaled alike, so that twice as loud stays twice as loud."""
    quiet = torch.from_numpy(noise(15_680, level=1e-8))[None]
    one, two = (cola.windows(Clips(gain * quiet, torch.tensor([15_680]))).patches for gain in (1, 2))
    above = one > one.min() + 1
    torch.testing.assert_close((two - one)[above].mean(), torch.tensor(np.log(2.0)).float(), atol=1e-3, rtol=0)


def test_loading_draws_nothing_from_the_random_state_of_the_caller(cola: Model, tmp_path: Path) -> None:
    bundle = save_bundle(tmp_path / "bundle", cola.config, cola.encoder)
    before = torch.get_rng_state()
    sv.load(bundle)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_bundle_comes_back_and_others_may_read_it(cola: Model, tmp_path: Path) -> None:
    folder = save_bundle(tmp_path / "bundle", cola.config, cola.encoder)
    loaded = sv.load(folder)
    found, expected = (model.embed(noise(20_000), 16_000).vectors for model in (loaded, cola))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in (folder, *folder.iterdir()))
    other = cola.config.model_copy(
        update={"windows": WindowSettings(unit="waveform", size=8000, hop=1, crop=8000, tail="drop")}
    )
    save_bundle(folder, other, cola.encoder)  # replaces the older one
    assert sv.load(folder).config.windows.size == 8000
    with pytest.raises(SoundviewsError, match=r"config\.json"):
        sv.load(tmp_path / "nowhere")
