"""The wheel with nothing but its base dependencies: it reads, embeds and searches, and names the extra for the rest.

The environment is a new one that links to those packages here that the wheel's own metadata asks for, and theirs.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from soundviews.core.component import Component
from soundviews.core.extras import EXTRAS
from soundviews.core.shipped import shipped_names
from soundviews.encoders import create_encoder
from soundviews.model.bundle import save_bundle
from soundviews.model.config import BundleConfig
from soundviews.recipes.schema import Statistics, WindowSettings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="links to folders need a privilege there"),
]
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    result = subprocess.run(build, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of the new environment."""
    environment = tmp_path_factory.mktemp("environment") / "base"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=120)
    site = environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    with zipfile.ZipFile(wheel) as content:
        content.extractall(site)
        metadata = next(name for name in content.namelist() if name.endswith(".dist-info/METADATA"))
        lines = content.read(metadata).decode().splitlines()
    required = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")]
    for name in needed(required):
        link(name, site)
    return environment / "bin" / "python"


def needed(required: list[str]) -> set[str]:
    """Names of the distributions that these requirements bring, without extras that nobody asks for."""
    requirements = pytest.importorskip("packaging.requirements")
    names: set[str] = set()
    waiting = [(requirements.Requirement(line), "") for line in required]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        key = f"{requirement.name.lower()}[{','.join(sorted(requirement.extras))}]"
        if key in names:
            continue
        names.add(key)
        for line in distribution(requirement.name).requires or []:
            waiting += [(requirements.Requirement(line), extra) for extra in ("", *requirement.extras)]
    return {key.partition("[")[0] for key in names}


def link(name: str, site: Path) -> None:
    """Make the modules of an installed distribution importable from `site`."""
    installed = distribution(name)
    tops = {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}
    for top in tops:
        if not (site / top).exists():
            (site / top).symlink_to(Path(str(installed.locate_file(top))).resolve())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings in `recordings`, and bundles `vgg` and `resnet`, the latter without weights."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "recordings").mkdir()
    for name in ("a", "b"):
        noise = np.random.default_rng(ord(name)).standard_normal(24_000)
        soundfile.write(folder / "recordings" / f"{name}.wav", 0.1 * noise, 16_000)
    config = BundleConfig(
        sample_rate=16_000,
        level="none",
        fill="repeat",
        features={"n_mels": 32},
        windows=WindowSettings(unit="spectrogram", size=50, hop=50, crop=50, tail="pad"),
        statistics=Statistics(mean=-6.0, std=3.0),
        encoder=Component(name="vgg_like"),
        embedding_size=512,
        recipe="test",
    )
    save_bundle(folder / "vgg", config, create_encoder("vgg_like"))
    resnet = config.model_copy(update={"encoder": Component(name="resnet18")})
    save_bundle(folder / "resnet", resnet, torch.nn.Module())
    return folder


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(python), *arguments]
    return subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, timeout=300)


def test_the_environment_has_none_of_the_extras(python: Path, folder: Path) -> None:
    program = (
        "import importlib.util, soundviews\n"
        f"print(soundviews.__file__, *filter(importlib.util.find_spec, {list(EXTRAS)!r}), sep='\\n')"
    )
    result = run(python, folder, "-c", program)
    assert result.returncode == 0, result.stderr
    assert Path(result.stdout.strip()).is_relative_to(python.parents[1])


def test_it_embeds_and_searches(python: Path, folder: Path) -> None:
    embedded = run(python, folder, "-m", "soundviews", "embed", "vgg", "recordings", "--out", "archive.parquet")
    assert embedded.returncode == 0, embedded.stderr
    assert "2 recordings" in embedded.stdout
    found = run(python, folder, "-m", "soundviews", "search", "archive.parquet", "recordings/b.wav", "--once")
    assert found.returncode == 0, found.stderr
    best = found.stdout.splitlines()[1].split()
    assert best[:2] == ["1", "b.wav"] and float(best[-1]) > 0.999


def test_it_embeds_with_an_encoder_by_its_name(python: Path, folder: Path) -> None:
    program = "import soundviews.core.shipped as shipped; print(shipped.SHIPPED)"
    shipped = Path(run(python, folder, "-c", program).stdout.strip())
    assert shipped.is_relative_to(python.parents[1])
    shutil.copytree(folder / "vgg", shipped / "random")
    card = "---\nlicense: none\nlearned_from: nothing\nsource: a test\n---\n# random\n"
    (shipped / "random" / "README.md").write_text(card, encoding="utf-8")
    embedded = run(python, folder, "-m", "soundviews", "embed", "random", "recordings", "--out", "by-name.parquet")
    assert embedded.returncode == 0, embedded.stderr
    assert "random" in run(python, folder, "-m", "soundviews", "models").stdout
    for name in (*shipped_names(), "random"):
        loaded = run(
            python, folder, "-c", f"import soundviews as sv; print(sv.load({name!r}).embed('recordings/a.wav'))"
        )
        assert loaded.returncode == 0, loaded.stderr
        assert loaded.stdout.startswith("Embedding(")


def test_what_needs_more_names_the_extra(python: Path, folder: Path) -> None:
    program = (
        "import contextlib, sys\n"
        "from soundviews.cli.app import main\n"
        "for line in sys.stdin.read().splitlines():\n"
        "    sys.argv = ['soundviews', *line.split()]\n"
        "    print(line, file=sys.stderr)\n"
        "    with contextlib.suppress(SystemExit):\n"
        "        main()\n"
        "import soundviews\n"
        "try:\n"
        "    soundviews.pretrain\n"
        "except soundviews.SoundviewsError as error:\n"
        "    print('in Python', error, file=sys.stderr, sep='\\n')\n"
    )
    expected = {
        "pretrain recordings --out run": "train",
        "evaluate vgg --data recordings --protocol knn": "evaluate",
        "embed resnet recordings --out other.parquet": "timm",
        "embed vgg scenes:clips=2 --out scenes.parquet": "evaluate",
        "in Python": "train",
    }
    (folder / "program.py").write_text(program, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    result = subprocess.run(
        [str(python), "program.py"],
        input="\n".join([*list(expected)[:-1], "--help"]),
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        timeout=300,
    )
    said = result.stderr.splitlines()
    for line, extra in expected.items():
        assert said[said.index(line) + 1].endswith(f'pip install "soundviews[{extra}]"'), result.stderr
    assert "pretrain" in result.stdout  # its help is there all the same
    assert "Traceback" not in result.stderr
