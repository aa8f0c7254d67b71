"""Released checkpoints of uclser become bundles whose encoders give the published embeddings."""

import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import soundviews as sv
from soundviews.cli.app import app, load_verbs
from soundviews.core.errors import SoundviewsError
from soundviews.encoders import create_encoder
from soundviews.features.log_mel import LogMel
from soundviews.model.bundle import load_bundle
from soundviews.model.converters.uclser20 import convert_uclser20
from soundviews.recipes.loading import load_recipe

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def oracles() -> Path:
    place = Path(os.environ.get("SOUNDVIEWS_ORACLES", REPOSITORY.parent / "shared/oracles"))
    if not (place / "uclser_vgg.pth").is_file():
        pytest.skip("the released checkpoint is not at hand: set SOUNDVIEWS_ORACLES to the folder of uclser_vgg.pth")
    return place


def released(name: str) -> OrderedDict[str, torch.Tensor]:
    """A state dict with random weights, under the names that the authors' programs give them."""
    torch.manual_seed(1)
    source = create_encoder({"vgg": "vgg_like"}.get(name, name))
    for key, value in source.state_dict().items():  # running statistics other than a new network's
        if value.is_floating_point():
            value.add_(torch.rand_like(value) * (0.5 if "running_var" in key else 0.01))
    state = source.state_dict()
    if name == "resnet18":
        named = {key.removeprefix("backbone."): value for key, value in state.items()}
        return OrderedDict(named | {"fc.weight": torch.zeros(20, 512), "fc.bias": torch.zeros(20)})
    first, output = (0, "dense_out") if name == "vgg" else (1, "dense")
    named = OrderedDict()
    for key, value in state.items():
        kind, *rest = key.split(".")
        if kind == "blocks":
            named[".".join([f"conv{int(rest[0]) + first}", *rest[1:]])] = value
        else:
            named[".".join([{"dense": "dense1", "gru": "rnn1"}[kind], *rest])] = value
    size = 512 if name == "vgg" else 64
    return OrderedDict(named | {f"{output}.weight": torch.zeros(20, size), f"{output}.bias": torch.zeros(20)})


def test_released_vgg_gives_its_authors_embeddings(oracles: Path, tmp_path: Path) -> None:
    convert_uclser20(oracles / "uclser_vgg.pth", tmp_path / "vgg")
    expected = np.load(oracles / "uclser_vgg_expected.npz")
    _, encoder, _ = load_bundle(tmp_path / "vgg")
    with torch.inference_mode():
        h = encoder(torch.from_numpy(expected["x"])).numpy()
    difference = np.linalg.norm(h - expected["h"], axis=1) / np.linalg.norm(expected["h"], axis=1)
    assert difference.max() < 1e-4
    np.testing.assert_allclose(h, expected["h"], rtol=1e-4, atol=1e-4 * expected["h"].max())


@pytest.mark.parametrize(("name", "size"), [("vgg", 512), ("crnn", 64), ("resnet18", 512)])
def test_each_network_is_recognised_and_keeps_its_weights(name: str, size: int, tmp_path: Path) -> None:
    state = released(name)
    torch.save(state, tmp_path / "best.pth")
    config = convert_uclser20(tmp_path / "best.pth", tmp_path / "bundle")
    assert config.encoder.name == {"vgg": "vgg_like"}.get(name, name)
    assert config.embedding_size == size and config.head is None
    _, encoder, head = load_bundle(tmp_path / "bundle")
    assert head is None
    kept = [value for key, value in state.items() if not key.startswith(("fc.", "dense_out.", "dense."))]
    for value, original in zip(encoder.state_dict().values(), kept, strict=True):
        assert torch.equal(value, original)


def test_crnn_file_has_the_authors_key_names() -> None:
    keys = released("crnn").keys()
    assert {"conv1.conv.weight", "conv3.bn.running_var", "rnn1.weight_hh_l0_reverse", "dense.weight"} <= set(keys)


def test_bundle_carries_the_front_end_and_the_statistics(tmp_path: Path) -> None:
    torch.save(released("vgg"), tmp_path / "best.pth")
    config = convert_uclser20(tmp_path / "best.pth", tmp_path / "bundle")
    assert config.sample_rate == 22050 and config.level == "peak" and config.fill == "repeat"
    hop, window = config.features["hop_length"], config.features["window_length"]
    assert (hop / 22050, window / 22050) == pytest.approx((0.009977, 0.029932), rel=1e-4)
    assert LogMel(sample_rate=22050, **config.features)(torch.zeros(1, 22050)).shape == (1, 101, 96)
    windows = config.windows
    assert (windows.unit, windows.size, windows.hop, windows.tail) == ("spectrogram", 101, 50, "drop")
    assert config.statistics is not None
    assert config.statistics.mean == pytest.approx(-1.2025)
    assert config.statistics.std == pytest.approx(2.8715 / 36660)


def test_front_end_is_the_recipes(tmp_path: Path) -> None:
    torch.save(released("vgg"), tmp_path / "best.pth")
    config, recipe = convert_uclser20(tmp_path / "best.pth", tmp_path / "bundle"), load_recipe("uclser")
    default = LogMel(sample_rate=22050).config()
    assert default | config.features == default | recipe.features
    assert config.sample_rate == recipe.audio.sample_rate and config.fill == recipe.audio.fill
    assert config.windows == recipe.inference.windows and config.level == recipe.inference.level


def test_bundle_embeds_a_waveform(tmp_path: Path) -> None:
    torch.save(released("vgg"), tmp_path / "best.pth")
    convert_uclser20(tmp_path / "best.pth", tmp_path / "bundle")
    noise = np.random.default_rng(0).normal(scale=0.1, size=3 * 44100).astype(np.float32)
    vectors, starts = sv.load(tmp_path / "bundle").embed(noise, 44100)
    # 3 s are 301 frames: windows at 0, 50, 100, 150 and 200, each frame 220 / 22050 s.
    np.testing.assert_allclose(starts, np.arange(0, 201, 50) * 220 / 22050)
    assert vectors.shape == (5, 512) and np.isfinite(vectors).all()


def test_command_line(tmp_path: Path) -> None:
    load_verbs()
    torch.save(released("crnn"), tmp_path / "best.pth")
    result = CliRunner().invoke(app, ["convert", "uclser20", str(tmp_path / "best.pth"), str(tmp_path / "bundle")])
    assert result.exit_code == 0, result.output
    assert "crnn, embeddings of 64" in result.output
    assert (tmp_path / "bundle" / "model.safetensors").is_file()


def missing(path: Path) -> None:
    pass


def folder(path: Path) -> None:
    path.mkdir()


def text(path: Path) -> None:
    path.write_text("not a checkpoint\n")


def empty(path: Path) -> None:
    path.touch()


def truncated(path: Path) -> None:
    torch.save(released("vgg"), path)
    path.write_bytes(path.read_bytes()[:5000])


def another_network(path: Path) -> None:
    torch.save({"embedding.weight": torch.zeros(3)}, path)


def other_shapes(path: Path) -> None:
    torch.save(released("vgg") | {"conv3.conv.weight": torch.zeros(64, 32, 5, 5)}, path)


def lacking_weights(path: Path) -> None:
    state = released("resnet18")
    del state["layer2.0.conv1.weight"]
    torch.save(state, path)


def wrapped(path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": released("vgg")}, path)


class Harmful:
    def __reduce__(self) -> tuple:
        return (os.abort, ())


def code(path: Path) -> None:
    torch.save({"conv0.conv.weight": Harmful()}, path)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (missing, "there is no file"),
        (folder, "cannot read"),
        (text, "damaged, or not a PyTorch checkpoint"),
        (empty, "damaged, or not a PyTorch checkpoint"),
        (truncated, "damaged, or not a PyTorch checkpoint"),
        (code, "holds tensors only"),
        (another_network, "none of uclser's released networks"),
        (other_shapes, "does not fit it"),
        (lacking_weights, "does not fit it"),
        (wrapped, "no plain state dict"),
    ],
)
def test_wrong_files_are_clear_errors_and_leave_no_bundle(write, message: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.pth"
    write(path)
    with pytest.raises(SoundviewsError, match=message) as caught:
        convert_uclser20(path, tmp_path / "bundle")
    assert str(path) in str(caught.value)
    assert not (tmp_path / "bundle").exists()
