"""The public names: listed, there, explained, and loaded on first use only."""

import ast
import importlib.metadata
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import soundviews as sv

FUNCTIONS = {
    "compare", "create_encoder", "embed", "embed_archive", "evaluate", "export", "list_encoders", "load",
    "open_archive", "open_corpus", "pretrain", "probe", "read", "separate", "train_separator",
}  # fmt: skip
CLASSES = {"Comparison", "Corpus", "Embedding", "Evaluation", "Model", "Randomness", "SoundviewsError"}
REGISTRIES = ("views", "encoders", "objectives", "features", "datasets", "evaluation")


def test_dir_lists_the_public_names() -> None:
    assert dir(sv) == sorted(dir(sv)) and set(dir(sv)) >= FUNCTIONS | CLASSES | set(REGISTRIES) | {"__version__"}
    assert set(dir(sv)) == set(sv.__all__) == {*sv._HOMES, *sv._PACKAGES, "__version__"}


@pytest.mark.parametrize("name", sorted(FUNCTIONS | CLASSES))
def test_every_name_is_there_and_explains_itself(name: str) -> None:
    thing = getattr(sv, name)
    assert inspect.isclass(thing) if name in CLASSES else inspect.isfunction(thing)
    assert thing.__name__ == name
    assert len(inspect.getdoc(thing) or "") > 20 and not (thing.__doc__ or "").startswith("Of ")


@pytest.mark.parametrize("name", sv._PACKAGES)
def test_every_sub_package_is_an_attribute(name: str) -> None:
    assert inspect.ismodule(getattr(sv, name)) and getattr(sv, name).__name__ == f"soundviews.{name}"


@pytest.mark.parametrize("name", REGISTRIES)
def test_components_from_outside_have_one_door(name: str) -> None:
    assert callable(getattr(sv, name).register("a name that nobody has"))


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'pretain'"):
        sv.pretain  # noqa: B018


def test_options_are_keyword_only() -> None:
    """All but the nouns a verb is about."""
    for name, nouns in {
        "pretrain": 4,
        "evaluate": 3,
        "compare": 3,
        "export": 2,
        "embed": 2,
        "read": 2,
        "separate": 3,
        "load": 1,
    }.items():
        parameters = list(inspect.signature(getattr(sv, name)).parameters.values())
        assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters[nouns:]), name


def test_import_loads_nothing_heavy() -> None:
    program = (
        "import sys, soundviews\n"
        "dir(soundviews)\n"
        "print(*[name for name in ('torch', 'numpy', 'scipy', 'pyarrow', 'rich', 'pydantic') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0 and result.stdout.split() == [], result.stderr + result.stdout


def test_the_package_is_typed_and_has_one_version() -> None:
    assert (Path(sv.__file__).parent / "py.typed").is_file()
    assert importlib.metadata.version("soundviews") == sv.__version__
    run = [sys.executable, "-m", "soundviews", "--version"]
    result = subprocess.run(run, capture_output=True, text=True, timeout=120)
    assert result.stdout == f"soundviews {sv.__version__}\n"


def test_what_the_readme_calls_can_be_called_so() -> None:
    """Every `sv.NAME(...)` and `model.NAME(...)` of its Python takes these arguments."""
    readme = (Path(__file__).resolve().parent.parent / "README.md").read_text()
    calls = 0
    for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = {"sv": sv, "model": sv.Model}.get(ast.unparse(node.func.value))
            if owner is None:
                continue
            function, itself = getattr(owner, node.func.attr), [None] if owner is sv.Model else []
            keywords = {keyword.arg or "": None for keyword in node.keywords}
            inspect.signature(function).bind(*itself, *node.args, **keywords)
            calls += 1
    assert calls > 5
