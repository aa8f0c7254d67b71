"""A run says which version has begun it."""

from pathlib import Path

import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.pretraining.settings import CorpusFacts, Environment, RunSettings


def test_a_run_of_a_later_version_is_not_gone_on_with(tmp_path: Path) -> None:
    facts, settings = CorpusFacts(clips=1, fingerprint="x", skipped=0), RunSettings(data="recordings")
    Environment(corpus=facts, settings=settings).write(tmp_path)
    assert Environment.read(tmp_path).settings == settings
    Environment(soundviews="99.3.0", corpus=facts, settings=settings).write(tmp_path)
    with pytest.raises(SoundviewsError, match=r"made by a newer soundviews \(99\.3\.0\), and this is"):
        Environment.read(tmp_path)
