"""Learn audio representations from unlabelled recordings, judge them, and search an archive with them.

The public names are loaded on first use, so that `import soundviews` (and the command line's help) stays light.
"""

import importlib
from typing import TYPE_CHECKING, Any

from soundviews.core.version import __version__

_HOMES = {
    "list_encoders": "soundviews.encoders",
    "create_encoder": "soundviews.encoders",
    "load": "soundviews.model",
    "Model": "soundviews.model",
    "Embedding": "soundviews.model",
    "open_corpus": "soundviews.datasets.opening",
    "Corpus": "soundviews.audio.corpus",
}
_PACKAGES = (
    "audio",
    "features",
    "views",
    "encoders",
    "objectives",
    "separation",
    "pretraining",
    "evaluation",
    "archive",
)

if TYPE_CHECKING:
    from soundviews.audio.corpus import Corpus
    from soundviews.datasets.opening import open_corpus
    from soundviews.encoders import create_encoder, list_encoders
    from soundviews.model import Embedding, Model, load

__all__ = ["Corpus", "Embedding", "Model", "__version__", "create_encoder", "list_encoders", "load", "open_corpus"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _PACKAGES:
        return importlib.import_module(f"soundviews.{name}")
    raise AttributeError(f"module 'soundviews' has no attribute {name!r}")
