"""The registry of datasets, and what a dataset is.

To add a dataset: a file in this folder (or a module of your own, see docs/components.md) with a class that has the
functions of `Dataset` and is registered under the dataset's name. Wherever a folder is opened, it is then recognised.
"""

from pathlib import Path
from typing import Protocol

from soundviews.audio.corpus import Corpus
from soundviews.core.registry import Registry

datasets = Registry("dataset")


class Dataset(Protocol):
    """Two functions; nothing is built."""

    @staticmethod
    def matches(root: Path) -> bool:
        """Whether a folder has the dataset's layout; quick, and False for a folder of anything else."""

    @staticmethod
    def read(root: Path) -> Corpus:
        """The clips of such a folder with what is known of them."""
