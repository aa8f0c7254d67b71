"""A bundle of a later version says so where it cannot be read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import soundviews as sv
from soundviews.core.component import Component
from soundviews.model import Model
from soundviews.model.bundle import save_bundle

NEWER = r"made by a newer soundviews \(99\.3\.0\), and this is .*pip install --upgrade soundviews"


@pytest.fixture
def changed(cola: Model, tmp_path: Path) -> Callable[..., Path]:
    """A bundle whose config.json says something else."""

    def change(**values: Any) -> Path:
        folder = save_bundle(tmp_path / "bundle", cola.config, cola.encoder)
        page = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps(page | values), encoding="utf-8")
        return folder

    return change


@pytest.mark.parametrize(
    "what",
    [
        {"format": 2},
        {"a_setting_of_later": True},
        {"encoder": Component(name="an_encoder_of_later").model_dump()},
        {"encoder": Component(name="crnn").model_dump()},  # whose weights are others
    ],
    ids=["format", "setting", "encoder", "weights"],
)
def test_what_cannot_be_read_names_the_later_version(changed: Callable[..., Path], what: dict[str, Any]) -> None:
    with pytest.raises(sv.SoundviewsError, match=NEWER):
        sv.load(changed(created_by="soundviews 99.3.0", **what))


def test_what_can_be_read_is_read(changed: Callable[..., Path]) -> None:
    assert sv.load(changed(created_by="soundviews 99.3.0")).embedding_size > 0


def test_a_bundle_of_no_later_version_is_not_blamed_on_one(changed: Callable[..., Path]) -> None:
    with pytest.raises(sv.SoundviewsError, match="has format 2, and this version reads up to 1") as caught:
        sv.load(changed(created_by="soundviews 0.1.0", format=2))
    assert "newer" not in str(caught.value)
