from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from soundviews.bundle_config import Component
from soundviews.separation import TDCN
from soundviews.separation.processor import ProcessorConfig, save_processor

OPTIONS = {"window": 20, "hop": 10, "filters": 8, "bottleneck": 4, "width": 6, "repeats": 2, "blocks": 2}


@pytest.fixture
def make_separator(tmp_path: Path) -> Callable[..., Path]:
    """A folder with tiny, untrained processors N, F, S1 and S2 of one sample rate, each with weights of its own."""

    def make(sample_rate: int) -> Path:
        folder = tmp_path / f"separator-{sample_rate}"
        for step, name in enumerate(("N", "F", "S1", "S2")):
            torch.manual_seed(step)
            config = ProcessorConfig(
                name=name,
                step=step,
                sample_rate=sample_rate,
                separator=Component(name="tdcn", options=OPTIONS),
                recipe="tiny",
            )
            save_processor(folder / name, config, TDCN(**OPTIONS))
        return folder

    return make
