"""Where datasets register. A dataset has `matches(root) -> bool` and `read(root) -> Corpus`."""

from soundviews.core.registry import Registry

datasets = Registry("dataset")
