"""Registration by being there, and errors that name the right word."""

import sys
from pathlib import Path

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import Registry


def test_modules_of_a_package_register_by_being_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "kinds_of_thing"
    package.mkdir()
    (package / "base.py").write_text("from soundviews.core.registry import Registry\nthings = Registry('thing')\n")
    (package / "__init__.py").write_text(
        "from soundviews.core.registry import import_all\nfrom kinds_of_thing.base import things\n"
        "import_all(__name__, __path__)\n"
    )
    (package / "one.py").write_text(
        "from kinds_of_thing import things\n@things.register('one')\ndef one(size=1): return size\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    try:
        things = __import__("kinds_of_thing").things
        assert things.names() == ["one"] and things.create("one", {"size": 3}) == 3
    finally:
        for name in [name for name in sys.modules if name.startswith("kinds_of_thing")]:
            del sys.modules[name]


def test_unknown_words_name_the_nearest() -> None:
    registry = Registry("view")
    registry.register("crop")(lambda seconds, rate=1: seconds)
    with pytest.raises(SoundviewsError, match="did you mean 'crop'"):
        registry.create("corp")
    with pytest.raises(SoundviewsError, match="did you mean 'seconds'"):
        registry.create("crop", {"second": 1})
    with pytest.raises(SoundviewsError, match="seconds"):
        registry.create("crop")
    with pytest.raises(ValueError, match="twice"):
        registry.register("crop")(lambda: None)
