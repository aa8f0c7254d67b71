"""Modules from outside: files and modules by name, what is remembered of them, and installed entry points."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from soundviews.core import components
from soundviews.core.components import locate, naming_uses, portable, use
from soundviews.core.errors import SoundviewsError, UnknownComponent
from soundviews.core.registry import Registry

REGISTER = """
from tests_outside import things
@things.register({name!r})
def make():
    return __name__
"""


@pytest.fixture(autouse=True)
def things(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry that modules find; the modules that a test imports are forgotten after it."""
    before = set(sys.modules)
    module = type(sys)("tests_outside")
    module.things = Registry("thing")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tests_outside", module)
    yield module.things  # type: ignore[attr-defined]
    for name in set(sys.modules) - before - {"tests_outside"}:
        if name.startswith("outside_"):
            del sys.modules[name]


def test_a_file_beside_the_page_with_or_without_its_ending(tmp_path: Path, things: Registry) -> None:
    path = tmp_path / "outside_file.py"
    path.write_text(REGISTER.format(name="one"))
    assert use(["outside_file"], tmp_path) == use(["outside_file.py"], tmp_path) == use([path]) == [str(path)]
    assert things.create("one") == "outside_file"
    assert portable([str(path), "some.module"]) == ["outside_file.py", "some.module"]
    with pytest.raises(SoundviewsError, match=r"in a list: use=\['outside_file'\]"):
        use("outside_file", tmp_path)


def test_a_module_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, things: Registry) -> None:
    (tmp_path / "outside_package").mkdir()
    (tmp_path / "outside_package/parts.py").write_text(REGISTER.format(name="two"))
    monkeypatch.syspath_prepend(tmp_path)
    assert use(["outside_package.parts"]) == ["outside_package.parts"]
    assert things.names() == ["two"]
    assert locate("outside_package.parts", tmp_path) == "outside_package.parts"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("outside_nothing", "no module 'outside_nothing' to use"),
        ("outside_nothing.parts", "no module 'outside_nothing.parts' to use"),
        ("outside_nothing.py", "there is no file"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(SoundviewsError, match=message):
        use([name], tmp_path)


def test_the_traceback_of_a_module_is_kept_and_it_may_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "outside_broken.py"
    path.write_text("import outside_that_is_missing\n")
    with pytest.raises(ModuleNotFoundError, match="outside_that_is_missing"):
        use([path])
    path.write_text("")
    use([path])


def test_a_file_does_not_take_the_name_of_another_module(tmp_path: Path) -> None:
    for folder, name in (("a", "outside_same"), ("b", "outside_same"), ("b", "graphlib"), ("b", "random")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{name}.py").write_text("")
    use([tmp_path / "a/outside_same.py"])
    for name in ("outside_same", "graphlib", "random"):
        with pytest.raises(SoundviewsError, match=f"another module '{name}'.*rename the file"):
            use([tmp_path / "b" / f"{name}.py"])


def test_an_unknown_component_names_the_modules_that_are_not_imported(things: Registry, tmp_path: Path) -> None:
    path = tmp_path / "outside_brings.py"
    path.write_text(REGISTER.format(name="three"))
    with (
        pytest.raises(SoundviewsError, match=r"the bundle b has the thing 'three'.*use=\['outside_brings\.py'\]"),
        naming_uses(["outside_brings.py", "sys"], "the bundle b"),
    ):
        things.get("three")
    use([path])
    with naming_uses([str(path)], "the bundle b"):
        assert things.create("three") == "outside_brings"
        with pytest.raises(UnknownComponent, match="unknown thing 'thre': did you mean 'three'"):
            things.get("thre")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with a distribution whose entry points are a module that registers and a broken one."""
    information = tmp_path / "outside_parts-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: outside-parts\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[soundviews.components]\nbroken = outside_torn\nparts = outside_installed\n"
    )
    (tmp_path / "outside_installed.py").write_text(REGISTER.format(name="four"))
    (tmp_path / "outside_torn.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(components, "_looked_up", False)
    return tmp_path


def test_entry_points_are_found_by_name_and_a_broken_one_is_reported(
    installed: Path, things: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    things.register("known")(lambda: "known")
    things.create("known")
    assert "outside_installed" not in sys.modules, "nothing unknown was asked for"
    with caplog.at_level(logging.WARNING, "soundviews"):
        assert things.create("four") == "outside_installed"
    (record,) = caplog.records
    assert "outside-parts" in record.getMessage() and "ZeroDivisionError" in caplog.text
    caplog.clear()
    things.names()
    assert not caplog.records, "looked up once"


def test_entry_points_are_listed(installed: Path, things: Registry) -> None:
    assert things.names() == ["four"]
