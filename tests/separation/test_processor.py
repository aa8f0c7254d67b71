"""Processors as bundles."""

import resource
from pathlib import Path

import pytest

from soundviews.core.component import Component
from soundviews.core.errors import SoundviewsError
from soundviews.separation import TDCN
from soundviews.separation.processor import ProcessorConfig, save_processor


def test_a_full_disk_is_said_and_leaves_the_older_processor(tmp_path: Path) -> None:
    network = TDCN(filters=64, bottleneck=32, width=64, repeats=1, blocks=2)
    config = ProcessorConfig(
        name="N", step=0, sample_rate=8000, separator=Component(name="tdcn"), recipe="tiny", created_by="before"
    )
    save_processor(tmp_path / "N", config, network)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(SoundviewsError, match=r"cannot write .*/N"):
            save_processor(tmp_path / "N", config.model_copy(update={"created_by": "after"}), network)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["N"]
    assert '"before"' in (tmp_path / "N" / "config.json").read_text()
