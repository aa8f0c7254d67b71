"""Public datasets: one file each, from the official layout on disk to a corpus."""

from soundviews.core.registry import import_all
from soundviews.datasets.registry import datasets

__all__ = ["datasets", "register"]

register = datasets.register

import_all(__name__, __path__)
