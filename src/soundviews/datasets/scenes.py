"""The folder that `soundviews data scenes` writes."""

from soundviews.datasets.registry import datasets
from soundviews.scenes.folder import is_scenes, read_scenes


@datasets.register("scenes")
class Scenes:
    """Labels, folds and splits from scenes.csv; the isolated sources are no clips of the corpus."""

    matches = staticmethod(is_scenes)
    read = staticmethod(read_scenes)
