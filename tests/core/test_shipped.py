"""Names of encoders that come with the package: what they stand for, and what is in their way."""

from pathlib import Path

import pytest

from soundviews.core import shipped
from soundviews.core.bundle_files import find_bundle
from soundviews.core.errors import SoundviewsError
from soundviews.core.shipped import card_of, locate, shipped_names

CARD = """---
license: apache-2.0
learned_from: nothing
source: a test
---
# tiny

Good at nothing.
"""


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An encoder called `tiny`, of two empty files and a card, and an empty current directory."""
    folder = tmp_path / "package" / "tiny"
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).touch()
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    monkeypatch.setattr(shipped, "SHIPPED", folder.parent)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return folder


def test_a_name_is_the_bundle_of_that_name(tiny: Path) -> None:
    assert shipped_names() == ["tiny"]
    assert locate("tiny") == locate(Path("tiny")) == find_bundle("tiny") == tiny
    assert locate("other") == Path("other") and locate("a/tiny") == Path("a/tiny")


def test_what_is_there_of_that_name_comes_first(tiny: Path) -> None:
    Path("tiny").mkdir()
    assert locate("tiny") == Path("tiny")
    with pytest.raises(
        SoundviewsError, match="the encoder 'tiny' that comes with soundviews is hidden by what is there"
    ):
        find_bundle("tiny")
    for name in ("config.json", "model.safetensors"):
        (Path("tiny") / name).touch()
    assert find_bundle("tiny") == Path("tiny")


def test_an_unknown_name_is_told_from_a_path(tiny: Path) -> None:
    with pytest.raises(
        SoundviewsError, match="nor does an encoder of that name come with soundviews: did you mean 'tiny'"
    ):
        find_bundle("tinny")
    with pytest.raises(SoundviewsError) as raised:
        find_bundle("runs/tinny")
    assert "encoder" not in str(raised.value)


def test_its_card(tiny: Path) -> None:
    card = card_of("tiny")
    assert (card.licence, card.learned_from, card.source) == ("apache-2.0", "nothing", "a test")
    assert card.bytes == len(CARD) and card.text == "# tiny\n\nGood at nothing."
    with pytest.raises(SoundviewsError, match="no encoder 'tinny' comes with soundviews: did you mean 'tiny'"):
        card_of("tinny")


@pytest.mark.parametrize("name", shipped_names())
def test_every_encoder_in_the_package_has_weights_a_card_and_little_weight(name: str) -> None:
    card = card_of(name)
    assert (shipped.SHIPPED / name / "model.safetensors").is_file()
    assert card.bytes < 8e6 and card.licence == "apache-2.0" and card.learned_from and card.source and card.text
