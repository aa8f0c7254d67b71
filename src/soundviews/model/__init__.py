"""An encoder ready to use: its bundle, its front-end and its windows."""

from soundviews.model.embedding import Embedding
from soundviews.model.model import Model, load
from soundviews.model.windows import Windows, standardize

__all__ = ["Embedding", "Model", "Windows", "load", "standardize"]
