"""Processors as bundles."""

import json
from pathlib import Path
from typing import Any

import pytest

from soundviews.core.component import Component
from soundviews.core.errors import SoundviewsError
from soundviews.separation import TDCN
from soundviews.separation.processor import ProcessorConfig, find_processors, load_processor, save_processor


def test_a_full_disk_is_said_and_leaves_the_older_processor(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")  # not on Windows
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


def test_a_processor_of_a_later_version_says_so(tmp_path: Path) -> None:
    options = {"filters": 8, "bottleneck": 4, "width": 6, "repeats": 1, "blocks": 2}
    config = ProcessorConfig(
        name="N", step=0, sample_rate=8000, separator=Component(name="tdcn", options=options), recipe="tiny"
    )
    folder = save_processor(tmp_path / "N", config, TDCN(**options))
    page = folder / "config.json"
    newer = json.loads(page.read_text()) | {"created_by": "soundviews 99.3.0"}
    page.write_text(json.dumps(newer))
    assert load_processor(folder).name == "N" and set(find_processors(tmp_path)) == {"N"}
    page.write_text(json.dumps(newer | {"format": 2}))
    with pytest.raises(SoundviewsError, match=r"made by a newer soundviews \(99\.3\.0\).*format 2"):
        load_processor(folder)
    page.write_text(json.dumps(newer | {"a_setting_of_later": 1}))
    for read in (load_processor, find_processors):
        with pytest.raises(SoundviewsError, match=r"made by a newer soundviews \(99\.3\.0\)"):
            read(folder)


SMALL = {"filters": 8, "bottleneck": 4, "width": 6, "repeats": 1, "blocks": 2}


@pytest.mark.parametrize(
    "change",
    [
        {"format": 0},
        {"format": 2},
        {"sample_rate": 10**9},
        {"step": -1},
        {"step": 10**30},
        {"separator": {"name": "tdcn", "options": SMALL | {"blocks": 10**9}}},
        {"separator": {"name": "tdcn", "options": SMALL | {"width": 10**12}}},
        {"separator": {"name": "tdcn", "options": SMALL | {"width": "6"}}},
        {"separator": {"name": "tdcn", "options": {}}},  # whose weights are others
        {"separator": {"name": "cnn", "options": {}}},
        {"separator": 5},
        {"more": 1},
    ],
    ids=str,
)
def test_a_processor_that_cannot_be_right_is_refused_in_one_line(tmp_path: Path, change: dict[str, Any]) -> None:
    config = ProcessorConfig(
        name="N", step=0, sample_rate=8000, separator=Component(name="tdcn", options=SMALL), recipe="tiny"
    )
    folder = save_processor(tmp_path / "N", config, TDCN(**SMALL))
    page = folder / "config.json"
    page.write_text(json.dumps(json.loads(page.read_text()) | change))
    with pytest.raises(SoundviewsError) as error:
        load_processor(folder)
    assert str(error.value).startswith(str(folder)) and str(error.value).isprintable()


def test_a_processor_with_weights_that_are_not_finite_or_damaged_is_refused(tmp_path: Path) -> None:
    network = TDCN(**SMALL)
    network.encoder.weight.data[0] = float("nan")
    config = ProcessorConfig(
        name="N", step=0, sample_rate=8000, separator=Component(name="tdcn", options=SMALL), recipe="tiny"
    )
    folder = save_processor(tmp_path / "N", config, network)
    with pytest.raises(SoundviewsError, match=r"encoder\.weight has values that are not finite"):
        load_processor(folder)
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(SoundviewsError, match="weights cannot be read"):
        load_processor(folder)
