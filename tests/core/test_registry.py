"""Registration by being there, errors that name the right word, and no component's bug swallowed."""

import sys
import types
from dataclasses import dataclass
from pathlib import Path

import pytest

from soundviews.core.errors import SoundviewsError, UnknownComponent
from soundviews.core.registry import Registry


@pytest.fixture
def views() -> Registry:
    return Registry("view")


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


def test_unknown_words_name_the_nearest(views: Registry) -> None:
    views.register("crop")(lambda seconds, rate=1: seconds)
    with pytest.raises(UnknownComponent, match="did you mean 'crop'"):
        views.create("corp")
    with pytest.raises(SoundviewsError, match="did you mean 'seconds'"):
        views.create("crop", {"second": 1})
    with pytest.raises(SoundviewsError, match="missing a required argument: 'seconds'"):
        views.create("crop")


def test_names_are_sorted_and_iteration_keeps_the_order(views: Registry) -> None:
    views.register("late")(lambda: 1)
    views.register("early", example={"size": 2})(lambda size: size)
    assert views.names() == ["early", "late"] and list(views) == ["late", "early"]
    assert repr(views) == "<Registry of views: early, late>"
    assert views.example("early") == {"size": 2} and views.example("late") == {}


def test_context_is_given_to_those_who_ask_unless_the_recipe_says_it(views: Registry) -> None:
    views.register("crop")(lambda seconds, rate=1: (seconds, rate))
    assert views.create("crop", {"seconds": 2}, rate=5, fill="pad") == (2, 5)
    assert views.create("crop", {"seconds": 2, "rate": 3}, rate=5) == (2, 3)


CELL = """
@views.register("mine")
class Mine:
    version = {version}
"""


def test_a_cell_that_is_run_twice_replaces_its_component(views: Registry) -> None:
    for version in (1, 2):
        exec(CELL.format(version=version), {"views": views, "__name__": "__main__"})
    assert views.create("mine").version == 2


def _write_module(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    path = tmp_path / f"{name}.py"
    path.write_text("\n\nclass Mine:\n    pass\n")
    module = types.ModuleType(name)
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(path.read_text(), str(path), "exec"), module.__dict__)
    return module


def test_another_place_is_an_error_that_names_both(
    views: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (_write_module(tmp_path, name, monkeypatch) for name in ("parts_a", "parts_b"))
    views.register("mine")(first.Mine)
    with pytest.raises(SoundviewsError, match="registered twice") as raised:
        views.register("mine")(second.Mine)
    for name in ("parts_a", "parts_b"):
        assert f"{name}.Mine ({tmp_path / name}.py:3)" in str(raised.value)
    assert views.get("mine") is first.Mine


def test_a_program_and_the_module_of_its_file_are_one_place(
    views: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = _write_module(tmp_path, "parts_c", monkeypatch)
    views.register("mine")(module.Mine)
    again = _write_module(tmp_path, "parts_d", monkeypatch)
    monkeypatch.setattr(again, "__file__", module.__file__)
    views.register("mine")(again.Mine)
    assert views.get("mine") is again.Mine


class Sized:
    def __init__(self, size: int = 1, scale: float = 1.0) -> None:
        if size < 1:
            raise ValueError(f"size must be positive, not {size}")
        self.half = _half(size)


class Larger(Sized):
    def __init__(self, size: int = 1) -> None:
        super().__init__(size - 1)


def _half(size: int) -> int:
    if size == 7:
        raise ValueError("a bug of the component")
    return size // (8 - size) + len(str(size))


@dataclass
class Checked:
    size: int = 1

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError("size must be positive")


@pytest.mark.parametrize("maker", [Sized, Larger, Checked])
def test_what_the_constructor_refuses_is_one_line(views: Registry, maker: type) -> None:
    views.register("sized")(maker)
    with pytest.raises(SoundviewsError, match=r"^view 'sized': size must be positive"):
        views.create("sized", {"size": 0})


def test_a_value_of_another_type_is_one_line_that_names_the_option(views: Registry) -> None:
    views.register("sized")(Sized)
    with pytest.raises(SoundviewsError, match=r"^view 'sized': size is 'ten': Input should be a valid integer"):
        views.create("sized", {"size": "ten"})
    assert views.create("sized", {"scale": "fine, since nobody looks"}).half == 1


@pytest.mark.parametrize(("size", "kind"), [(7, ValueError), (8, ZeroDivisionError)])
def test_a_bug_inside_a_component_keeps_its_traceback(views: Registry, size: int, kind: type[Exception]) -> None:
    views.register("sized")(Sized)
    with pytest.raises(kind) as raised:
        views.create("sized", {"size": size})
    assert raised.traceback[-1].name == "_half"


def test_a_type_error_inside_a_component_is_no_wrong_option(views: Registry) -> None:
    def broken(size: int = 1) -> None:
        return _half()  # type: ignore[call-arg]

    views.register("broken")(broken)
    with pytest.raises(TypeError, match="_half"):
        views.create("broken", {"size": 3})
