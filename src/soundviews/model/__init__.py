"""An encoder ready to use: its bundle, its front-end and its windows."""

from soundviews.model.model import Embedding, Model, Windows, load, standardize

__all__ = ["Embedding", "Model", "Windows", "load", "standardize"]
