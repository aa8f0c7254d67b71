"""What a recipe uses from outside, and front-ends: joined over bases, files found beside their page, remembered."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.features import FrontEnd, front_ends
from soundviews.recipes.building import build
from soundviews.recipes.loading import check, load_recipe
from soundviews.recipes.reading import load_page
from soundviews.views import views


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers and imports is forgotten after it."""
    for registry in (views, front_ends):
        monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    yield
    for name in [name for name in sys.modules if name.startswith("used_")]:
        del sys.modules[name]


def view_module(name: str) -> str:
    """A module that registers the view `name`."""
    return (
        "import soundviews as sv\n"
        f"@sv.views.register({name!r})\n"
        "class Same(sv.views.View):\n"
        "    takes = gives = 'snippets'\n"
        "    def __call__(self, x, rng): return x\n"
    )


def test_files_are_found_beside_the_page_that_names_them_and_bases_are_joined(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/used_below.py").write_text(view_module("below"))
    (tmp_path / "used_above.py").write_text(view_module("above"))
    (tmp_path / "below/base.yaml").write_text("base: cola\nuses: [used_below]\n")
    (tmp_path / "mine.yaml").write_text(
        "base: below/base.yaml\nuses: [used_above.py, json]\n"
        "views: {anchor: [crop: {seconds: 1.0}, below, above, log_mel]}\n"
    )
    recipe = load_recipe(tmp_path / "mine.yaml")
    files = [str(tmp_path / "below/used_below.py"), str(tmp_path / "used_above.py")]
    assert recipe.uses == [files[0], files[1], "json"]
    assert check(recipe.model_dump(mode="json")) == recipe


def test_reading_a_page_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "used_never.py").write_text("raise AssertionError('imported')")
    page = load_page({"base": "cola", "uses": [str(tmp_path / "used_never.py")]})
    assert check(page).uses == [str(tmp_path / "used_never.py")]
    with pytest.raises(AssertionError, match="imported"):
        load_recipe(page)


def test_a_page_from_elsewhere_names_what_it_would_need(tmp_path: Path) -> None:
    (tmp_path / "used_missing.py").write_text(view_module("absent"))
    page = load_page({"base": "cola", "name": "theirs", "uses": [str(tmp_path / "used_missing.py")]})
    page["views"]["anchor"] = [{"crop": {"seconds": 1.0}}, "absent", "log_mel"]
    with pytest.raises(SoundviewsError, match=r"recipe 'theirs' has the view 'absent'.*used_missing\.py"):
        check(page)
    assert load_recipe(page, use=[tmp_path / "used_missing.py"]).uses == [str(tmp_path / "used_missing.py")]


def test_overrides_and_arguments_add_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "used_here.py").write_text("")
    monkeypatch.chdir(tmp_path)
    assert load_recipe("cola", ["uses=[used_here]"]).uses == [str(tmp_path / "used_here.py")]
    assert load_recipe("cola", {"uses": ["json"]}, use=["string"]).uses == ["json", "string"]
    with pytest.raises(SoundviewsError, match="uses is a list of modules"):
        load_recipe("cola", ["uses=used_here"])


class Bands(FrontEnd):
    """Frames of 64 samples as they are."""

    def __init__(self, sample_rate: int, hop_length: int = 64) -> None:
        super().__init__()
        self.n_mels = self.window_length = 64
        self.hop_length = hop_length

    def forward(self, samples):
        return samples.unfold(-1, self.window_length, self.hop_length)


def test_another_front_end_takes_none_of_the_options_of_the_base(tmp_path: Path) -> None:
    front_ends.register("bands")(Bands)
    (tmp_path / "bands.yaml").write_text("base: cola\nfeatures: {front_end: bands}\nencoder: {vgg_like: {}}\n")
    recipe = load_recipe(tmp_path / "bands.yaml", ["features.hop_length=32"])
    assert recipe.features == {"front_end": "bands", "hop_length": 32}
    assert isinstance(build(recipe, weights=False).log_mel, Bands)
    with pytest.raises(SoundviewsError, match="mix_back mixes on the linear scale, to which Bands"):
        load_recipe("uclser", {"features": {"front_end": "bands"}})


def test_the_options_of_log_mel_need_no_name() -> None:
    assert load_recipe("cola", ["features.front_end=log_mel", "features.n_mels=32"]).features["n_mels"] == 32
