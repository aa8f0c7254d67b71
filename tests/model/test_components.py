"""A bundle with components from outside, and one whose encoder began with fetched weights."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

import soundviews as sv
from soundviews.core.component import Component
from soundviews.core.errors import SoundviewsError
from soundviews.encoders import create_encoder, encoders
from soundviews.model.bundle import save_bundle
from soundviews.model.config import BundleConfig
from soundviews.recipes.schema import WindowSettings

MEAN = """
import torch
import soundviews as sv

@sv.encoders.register("outside_mean")
class Mean(torch.nn.Module):
    embedding_size = 64
    def forward(self, x):
        return x.mean(2)[:, 0]
"""


def config(encoder: Component, size: int, **more: Any) -> BundleConfig:
    windows = WindowSettings(unit="waveform", size=8000, hop=8000, crop=8000, tail="drop")
    return BundleConfig(
        sample_rate=16000, level="none", fill="repeat", features={}, windows=windows, statistics=None, encoder=encoder,
        embedding_size=size, recipe="test", **more,
    )  # fmt: skip


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle whose encoder only outside_encoder.py knows."""
    monkeypatch.setattr(encoders, "_registered", dict(encoders._registered))
    (tmp_path / "outside_encoder.py").write_text(MEAN)
    page = config(Component(name="outside_mean"), 64, uses=["outside_encoder.py"])
    yield save_bundle(tmp_path / "bundle", page, torch.nn.Module())
    sys.modules.pop("outside_encoder", None)


def test_a_bundle_imports_nothing_by_itself(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outside.parent)  # the file would be found
    with pytest.raises(SoundviewsError, match=r"the encoder 'outside_mean'.*use=\['outside_encoder.py'\]"):
        sv.load(outside)
    assert "outside_encoder" not in sys.modules
    model = sv.load(outside, use=["outside_encoder.py"])
    assert model.embed(np.ones(8000, np.float32), 16000).vectors.shape == (1, 64)


def test_a_bundle_of_an_earlier_version_uses_nothing(outside: Path) -> None:
    page = json.loads((outside / "config.json").read_text())
    del page["uses"]
    (outside / "config.json").write_text(json.dumps(page))
    with pytest.raises(SoundviewsError, match="unknown encoder 'outside_mean'"):
        sv.load(outside)


def test_loading_and_reinitialising_fetch_no_pretrained_weights(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    save_file(timm.create_model("resnet10t", pretrained=False).state_dict(), weights)
    options = {"pretrained": True, "pretrained_cfg_overlay": {"file": str(weights)}}
    encoder = create_encoder("timm/resnet10t", **options)
    page = config(Component(name="timm/resnet10t", options=options), 512)
    save_bundle(tmp_path / "bundle", page, encoder)
    weights.unlink()  # whoever fetched them now would fail
    with pytest.raises(SoundviewsError, match="cannot be had"):
        create_encoder("timm/resnet10t", **options)
    model = sv.load(tmp_path / "bundle")
    stem = encoder.backbone.conv1[0].weight
    assert torch.equal(model.encoder.backbone.conv1[0].weight, stem)
    assert not torch.equal(model.reinitialised(0).encoder.backbone.conv1[0].weight, stem)
