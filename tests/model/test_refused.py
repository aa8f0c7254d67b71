"""A bundle that cannot be right is refused in one line, before it takes memory or gives a vector."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import soundviews as sv
from soundviews.core.component import Component
from soundviews.core.files import _aside
from soundviews.encoders import create_encoder
from soundviews.model.bundle import save_bundle
from soundviews.model.config import BundleConfig
from soundviews.objectives import objectives
from soundviews.recipes.schema import Statistics, WindowSettings

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with everything in it."""
    config = BundleConfig(
        sample_rate=16_000,
        level="l2_window",
        fill="pad",
        features={"n_fft": 1024, "window_length": 400, "hop_length": 160, "n_mels": 64},
        windows=WindowSettings(unit="waveform", size=15_680, hop=15_680, crop=16_000, tail="pad"),
        statistics=Statistics(mean=-6.0, std=3.0),
        encoder=Component(name="vgg_like", options={"embedding_size": 8}),
        embedding_size=8,
        head=Component(name="nt_xent", options={}),
        recipe="test",
    )
    head = objectives.create("nt_xent", {}, embedding_size=8)
    folder = tmp_path_factory.mktemp("whole") / "bundle"
    return save_bundle(folder, config, create_encoder("vgg_like", embedding_size=8), head)


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "bundle"))


def refused(bundle: Path) -> str:
    with pytest.raises(sv.SoundviewsError) as caught:
        sv.load(bundle)
    message = str(caught.value)
    assert message.startswith(str(bundle)) and "\n" not in message and len(message) < 3000
    return message


def setting(path: str, value: Any) -> Change:
    """Change one value of config.json by its path."""

    def change(page: dict[str, Any]) -> None:
        *above, last = path.split(".")
        for key in above:
            page = page[key]
        page[last] = value

    return change


SETTINGS = {
    "format": [99, 0, -1, "one", None],
    "sample_rate": [1_000_000_000, 1e12, 999, 0, -16_000, "fast"],
    "windows.size": [0, -1, 10**9, 10**12, 1, None],
    "windows.hop": [0, -1, 10**12],
    "windows.crop": [0, 10**9],
    "windows.tail": ["cut"],
    "statistics.std": [0, -1, "NaN", 1e400],
    "statistics.mean": [float("nan"), float("inf"), float("-inf")],
    "statistics": [{"mean": 0.0, "std": float("nan")}, 5],
    "features": [
        {"n_fft": 10**12},
        {"n_mels": 10**5},
        {"n_mels": 10**9},
        {"bogus": 1},
        {"hop_length": 0},
        {"n_fft": "1024"},
    ],
    "features.f_min": [float("nan"), "low", -1],
    "features.floor": [0, float("inf"), -1e-5],
    "features.n_mels": [4, 0],
    "encoder": [
        {"name": "vgg_like", "options": {"embedding_size": 10**12}},
        {"name": "cnn14", "options": {"width": 1e12}},
        7,
    ],
    "encoder.name": ["hf-hub:someone/something", "timm/hf-hub:someone/something", "vgg"],
    "encoder.options": [{"embedding_size": 9}, {"embedding_size": "8"}, {"embedding_size": None}, {"size": 8}],
    "embedding_size": [1, -1, 9, 10**12],
    "head.options": [{"projection_size": 10**7}, {"hidden_size": 10**12}],
    "head": [None, {"name": "byol"}],
    "weights": ["float16", "int8"],
    "fill": ["stretch"],
    "uses": [5],
    "something_else": [1],
}


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, values in SETTINGS.items() for value in values])
def test_a_setting_that_cannot_be_is_refused(bundle: Path, path: str, value: Any) -> None:
    file = bundle / "config.json"
    page = json.loads(file.read_text())
    setting(path, value)(page)
    file.write_text(json.dumps(page))
    assert str(bundle) in refused(bundle)


@pytest.mark.parametrize(
    "text", ["", "[]", "5", "{", "null", '{"a":' * 5000, "[" * 5000 + "]" * 5000, '"' + "x" * 2_000_000 + '"'], ids=len
)
def test_what_is_no_config_is_refused(bundle: Path, text: str) -> None:
    (bundle / "config.json").write_text(text)
    assert "config.json" in refused(bundle)


def without(name: str) -> Change:
    return lambda tensors: tensors.pop(name)


def changed(name: str, new: Callable[[torch.Tensor], torch.Tensor]) -> Change:
    return lambda tensors: tensors.update({name: new(tensors[name])})


def as_type(kind: torch.dtype) -> Change:
    return lambda tensors: tensors.update({name: value.to(kind) for name, value in tensors.items()})


WEIGHT = "encoder.dense.weight"
WEIGHTS = {
    "NaN": (changed(WEIGHT, lambda w: w * float("nan")), "not finite"),
    "Inf": (changed(WEIGHT, lambda w: w + float("inf")), "not finite"),
    "float16": (as_type(torch.float16), "float16, not"),
    "float64": (changed(WEIGHT, lambda w: w.double()), "float64, not float32"),
    "int32": (changed(WEIGHT, lambda w: w.int()), "int32, not float32"),
    "another shape": (changed(WEIGHT, lambda w: w.T.contiguous()), r"\(256, 8\), not \(8, 256\)"),
    "one missing": (without(WEIGHT), f"{WEIGHT} is missing"),
    "one more": (lambda tensors: tensors.update({"encoder.more": torch.zeros(1)}), "encoder.more is unknown"),
    "an unknown part": (lambda tensors: tensors.update({"other.weight": torch.zeros(1)}), "other.weight is unknown"),
}


@pytest.mark.parametrize(("change", "reason"), WEIGHTS.values(), ids=WEIGHTS)
def test_weights_that_are_not_the_modules_are_refused(bundle: Path, change: Change, reason: str) -> None:
    tensors = load_file(bundle / "model.safetensors")
    change(tensors)
    save_file(tensors, bundle / "model.safetensors")
    with pytest.raises(sv.SoundviewsError, match=reason):
        sv.load(bundle)
    refused(bundle)


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"\xff" * 8 + b"{}", b"\x02" + b"\x00" * 7 + b"{}"])
def test_a_damaged_file_of_weights_is_refused(bundle: Path, content: bytes) -> None:
    (bundle / "model.safetensors").write_bytes(content)
    assert str(bundle) in refused(bundle)


def test_a_cut_file_of_weights_is_refused(bundle: Path) -> None:
    content = (bundle / "model.safetensors").read_bytes()
    (bundle / "model.safetensors").write_bytes(content[: len(content) // 2])
    assert str(bundle) in refused(bundle)


def test_weights_of_16_bits_are_read_where_config_json_says_so(bundle: Path) -> None:
    expected = sv.load(bundle).encoder.state_dict()
    page = json.loads((bundle / "config.json").read_text())
    (bundle / "config.json").write_text(json.dumps(page | {"weights": "float16"}))
    tensors = load_file(bundle / "model.safetensors")
    halved = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
    save_file(halved, bundle / "model.safetensors")
    for name, value in sv.load(bundle).encoder.state_dict().items():
        assert value.dtype == expected[name].dtype
        torch.testing.assert_close(value, expected[name], rtol=2**-10, atol=1e-7)


def test_a_bundle_that_a_kill_left_aside_is_read(bundle: Path) -> None:
    """The kill came between the renames that replace it (tests/core/test_files.py has a real one)."""
    before = sv.load(bundle).fingerprint
    os.replace(bundle, _aside(bundle))
    assert sv.load(bundle).fingerprint == before
