"""Reading a bundle imports what it needs and no more."""

import subprocess
import sys
from pathlib import Path

from soundviews.core.component import Component
from soundviews.model import Model
from soundviews.model.bundle import save_bundle
from soundviews.separation.processor import ProcessorConfig, save_processor
from soundviews.separation.tdcn import TDCN

TINY = {"filters": 8, "bottleneck": 4, "width": 6, "repeats": 1, "blocks": 2}


def imported(program: str, modules: tuple[str, ...]) -> list[str]:
    """Which of `modules` a new process has imported after `program`."""
    report = f"import sys\n{program}\nprint(*[name for name in {modules!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_loading_and_embedding_imports_no_scipy_and_no_training(cola: Model, tmp_path: Path) -> None:
    save_bundle(tmp_path, cola.config, cola.encoder)
    program = (
        f"import numpy, soundviews\nsoundviews.load({str(tmp_path)!r}).embed(numpy.ones(20_000, 'float32'), 16_000)"
    )
    heavy = ("scipy", "scipy.signal", "timm", "torchvision", "lightning", "matplotlib", "sklearn", "pyarrow")
    assert imported(program, heavy) == []


def test_reading_a_separator_imports_no_encoders(tmp_path: Path) -> None:
    config = ProcessorConfig(
        name="N", step=0, sample_rate=8000, separator=Component(name="tdcn", options=TINY), recipe="x"
    )
    save_processor(tmp_path, config, TDCN(**TINY))
    program = (
        "from pathlib import Path\n"
        "from soundviews.separation.processor import load_processor\n"
        f"load_processor(Path({str(tmp_path)!r}))"
    )
    assert imported(program, ("timm", "soundviews.encoders", "lightning", "matplotlib", "sklearn")) == []
