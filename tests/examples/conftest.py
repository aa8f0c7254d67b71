"""What every example learns from."""

from pathlib import Path

import pytest

from soundviews.scenes.folder import SceneOptions, write_scenes


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 built-in scenes of 1 s, one event each, with their labels and splits."""
    folder = tmp_path_factory.mktemp("scenes")
    write_scenes(folder, SceneOptions(24, min_seconds=1, max_seconds=1, max_events=1, sources=False), progress=False)
    return folder
