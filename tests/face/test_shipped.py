"""An encoder that comes with the package, by its name, through the verbs; here one with random weights."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from typer.testing import CliRunner

from soundviews.cli.app import app, load_verbs
from soundviews.core import shipped
from soundviews.core.errors import SoundviewsError
from soundviews.evaluation.opening import open_model
from soundviews.evaluation.systems import parse_systems
from soundviews.face.embed import embed_archive
from soundviews.face.search import open_archive
from soundviews.model import load
from soundviews.model.bundle import save_bundle

CARD = "---\nlicense: apache-2.0\nlearned_from: nothing\nsource: a test\n---\n# small\n\nGood at nothing.\n"


@pytest.fixture
def small(tiny_model, tmp_path, monkeypatch) -> Path:
    """An encoder called `small` of float16 weights, and an empty current directory."""
    config = tiny_model.config.model_copy(update={"weights": "float16", "pool": "loudness"})
    folder = save_bundle(tmp_path / "package" / "small", config, tiny_model.encoder)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    monkeypatch.setattr(shipped, "SHIPPED", folder.parent)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return folder


def test_half_precision_on_disk_is_float32_in_memory_and_all_but_the_same(small, tiny_model, folder):
    tensors = safetensors.torch.load_file(small / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16, torch.int64}
    model = load("small")
    assert (model.name, model.path, model.pool) == ("small", small, "loudness")
    assert {value.dtype for value in model.encoder.parameters()} == {torch.float32}
    path = folder / "low" / "5.wav"
    np.testing.assert_allclose(model.embed(path).vectors, tiny_model.embed(path).vectors, atol=5e-3)


def test_weights_beyond_half_precision_are_refused(small, tiny_model, tmp_path):
    with torch.no_grad():
        tiny_model.encoder.dense.bias[0] = 1e6
    config = tiny_model.config.model_copy(update={"weights": "float16"})
    with pytest.raises(SoundviewsError, match=r"encoder\.dense\.bias"):
        save_bundle(tmp_path / "large", config, tiny_model.encoder)
    assert not (tmp_path / "large").exists()


def test_an_archive_finds_it_wherever_the_package_is(small, folder, tmp_path, monkeypatch):
    embed_archive("small", folder / "low", "a.parquet", progress=False)
    assert open_archive("a.parquet").search(folder / "low" / "3.wav", top=1)[0].similarity > 0.99
    shutil.move(small.parent, tmp_path / "elsewhere")
    with pytest.raises(SoundviewsError, match="say where it is"):
        open_archive("a.parquet").search(folder / "low" / "3.wav")
    monkeypatch.setattr(shipped, "SHIPPED", tmp_path / "elsewhere")
    assert open_archive("a.parquet").search(folder / "low" / "3.wav", top=1)
    assert open_archive("a.parquet", "small").search(folder / "low" / "3.wav", top=1)


def test_evaluate_and_compare_take_the_name(small):
    assert open_model("small").fingerprint == load("small").fingerprint
    assert parse_systems(["small", "mine=small,small/bundle"]) == {
        "small": ("small",),
        "mine": ("small", "small/bundle"),
    }


def test_the_verbs(small, folder):
    load_verbs()
    runner = CliRunner()
    listed = runner.invoke(app, ["models"])
    assert listed.exit_code == 0 and all(word in listed.stdout for word in ("small", "apache-2.0", "nothing", "MB"))
    assert runner.invoke(app, ["models", "small"]).stdout == "# small\n\nGood at nothing.\n"
    embedded = runner.invoke(app, ["embed", "small", str(folder / "low"), "--out", "a.parquet"])
    assert embedded.exit_code == 0 and "10 recordings" in embedded.stdout
    searched = runner.invoke(
        app, ["search", "a.parquet", str(folder / "low" / "3.wav"), "--pool", "mean", "--top", "1"]
    )
    assert searched.exit_code == 0 and searched.stdout.splitlines()[1].split()[-1] == "1.0000"
