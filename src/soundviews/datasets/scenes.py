"""The folder that `soundviews data scenes` writes."""

from soundviews.audio.scenes import is_scenes, read_scenes
from soundviews.datasets.registry import datasets


@datasets.register("scenes")
class Scenes:
    """Labels, folds and splits from scenes.csv; the isolated sources are no clips of the corpus."""

    matches = staticmethod(is_scenes)
    read = staticmethod(read_scenes)
