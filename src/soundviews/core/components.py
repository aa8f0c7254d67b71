"""Components from outside: modules that register some, named by a recipe, a person or an installed distribution.

Importing a module runs it. So a module is imported because a person named it (`--use`, `use=`), named a recipe that
does (`uses`), or installed it (entry points), but never because a run or a bundle names it: those are passed around.
"""

import contextlib
import importlib
import importlib.util
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from soundviews.core.errors import SoundviewsError, UnknownComponent, words

GROUP = "soundviews.components"
_looked_up = False


def use(names: Iterable[str | Path], folder: str | Path = ".") -> list[str]:
    """Import modules, so that what they register can be named.

    Args:
        names: Modules, or .py files relative to `folder`; a file NAME.py there comes before a module NAME.
        folder: Where files are looked for.

    Returns:
        The names, those of files as absolute paths.

    Raises:
        SoundviewsError: one is not there. What goes wrong inside a module keeps its traceback.
    """
    if isinstance(names, str | Path):
        raise SoundviewsError(f"modules to use are named in a list: use=[{str(names)!r}]")
    located = [locate(str(name), folder) for name in names]
    for name in located:
        if name.endswith(".py"):
            _import_file(Path(name))
        else:
            _import_module(name)
    return located


def locate(name: str, folder: str | Path) -> str:
    """A module's name, or the absolute path of the file that `name` stands for in `folder`."""
    path = Path(folder) / (name if name.endswith(".py") else f"{name}.py")
    return str(path.absolute()) if name.endswith(".py") or path.is_file() else name


def portable(uses: Iterable[str]) -> list[str]:
    """What a bundle remembers of `uses`: of a file its name, since its folder means nothing elsewhere."""
    return [Path(name).name if name.endswith(".py") else name for name in uses]


@contextlib.contextmanager
def naming_uses(uses: Sequence[str], owner: str) -> Iterator[None]:
    """Where a component is unknown inside, say which of the modules that `owner` was made with would bring it."""
    try:
        yield
    except UnknownComponent as error:
        missing = [name for name in uses if _module_name(name) not in sys.modules]
        if not missing:
            raise
        options = " ".join(f"--use {name}" for name in missing)
        raise SoundviewsError(
            f"{owner} has the {error.component}, which is not known here: it was made with {', '.join(missing)}. "
            "No module is run only because a file names it: if you trust it, "
            + words(f"say {options}", f"import it first, or give its name to the call: use={missing}")
        ) from error


def load_entry_points() -> None:
    """Import what installed distributions list under `soundviews.components`, once.

    One that cannot be imported is reported with its traceback, and the others are still there.
    """
    global _looked_up
    if _looked_up:
        return
    _looked_up = True  # first: a component may list the others while it is imported
    for point in entry_points(group=GROUP):
        try:
            point.load()
        except Exception:
            owner = point.dist.name if point.dist else "an installed distribution"
            logging.getLogger("soundviews").warning(
                "%s: its components in %s cannot be imported", owner, point.value, exc_info=True
            )


def _module_name(name: str) -> str:
    return Path(name).stem if name.endswith(".py") else name


def _import_module(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there, and misses another
        raise SoundviewsError(
            f"there is no module {name!r} to use: no file {name}.py beside the recipe that names it (or else in "
            f"{Path.cwd()}), and no module of that name is installed"
        ) from error


def _import_file(path: Path) -> None:
    """Import a file as the module of its name."""
    if not path.is_file():
        raise SoundviewsError(f"there is no file {path} to use")
    name = path.stem
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None and name not in sys.modules:
        _run(name, path)
        return
    origin = spec.origin if spec else getattr(sys.modules[name], "__file__", None)
    if origin is None or Path(origin).resolve() != path.resolve():
        raise SoundviewsError(f"cannot use {path}: there is another module {name!r} ({origin}); rename the file")
    importlib.import_module(name)


def _run(name: str, path: Path) -> None:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
