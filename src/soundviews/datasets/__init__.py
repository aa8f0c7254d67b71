"""Public datasets: one file each, from the official layout on disk to a corpus."""

from soundviews.datasets import esc50, fsdnoisy18k, fuss, scenes  # noqa: F401  (each registers itself)
from soundviews.datasets.registry import datasets

__all__ = ["datasets"]
