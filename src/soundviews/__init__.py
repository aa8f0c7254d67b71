"""Learn audio representations from unlabelled recordings, judge them, and search an archive with them.

The public names are loaded on first use, so that `import soundviews` (and the command line's help) stays light.
"""

import importlib
from typing import TYPE_CHECKING, Any

from soundviews.core.extras import naming_extras
from soundviews.core.version import __version__

_HOMES = {
    "pretrain": "face.pretrain",
    "train_separator": "face.pretrain",
    "evaluate": "face.evaluate",
    "export": "face.export",
    "compare": "face.compare",
    "embed": "face.embed",
    "embed_archive": "face.embed",
    "open_archive": "face.search",
    "reproduce": "reproduction.reproduce",
    "separate": "face.separate",
    "separate_files": "face.separate",
    "read": "face.read",
    "probe": "face.read",
    "load": "model",
    "list_encoders": "encoders",
    "create_encoder": "encoders",
    "open_corpus": "datasets.opening",
    "Corpus": "audio.corpus",
    "Model": "model",
    "Embedding": "model",
    "Evaluation": "evaluation.result",
    "Comparison": "evaluation.compare",
    "SoundviewsError": "core.errors",
    "Randomness": "core.randomness",
}
_PACKAGES = (
    "archive",
    "audio",
    "datasets",
    "encoders",
    "evaluation",
    "features",
    "model",
    "objectives",
    "pretraining",
    "recipes",
    "report",
    "reproduction",
    "scenes",
    "separation",
    "views",
)

if TYPE_CHECKING:
    from soundviews import (
        archive,
        audio,
        datasets,
        encoders,
        evaluation,
        features,
        model,
        objectives,
        pretraining,
        recipes,
        report,
        reproduction,
        scenes,
        separation,
        views,
    )
    from soundviews.audio.corpus import Corpus
    from soundviews.core.errors import SoundviewsError
    from soundviews.core.randomness import Randomness
    from soundviews.datasets.opening import open_corpus
    from soundviews.encoders import create_encoder, list_encoders
    from soundviews.evaluation.compare import Comparison
    from soundviews.evaluation.result import Evaluation
    from soundviews.face.compare import compare
    from soundviews.face.embed import embed, embed_archive
    from soundviews.face.evaluate import evaluate
    from soundviews.face.export import export
    from soundviews.face.pretrain import pretrain, train_separator
    from soundviews.face.read import probe, read
    from soundviews.face.search import open_archive
    from soundviews.face.separate import separate, separate_files
    from soundviews.model import Embedding, Model, load
    from soundviews.reproduction.reproduce import reproduce

__all__ = [
    "Comparison",
    "Corpus",
    "Embedding",
    "Evaluation",
    "Model",
    "Randomness",
    "SoundviewsError",
    "__version__",
    "archive",
    "audio",
    "compare",
    "create_encoder",
    "datasets",
    "embed",
    "embed_archive",
    "encoders",
    "evaluate",
    "evaluation",
    "export",
    "features",
    "list_encoders",
    "load",
    "model",
    "objectives",
    "open_archive",
    "open_corpus",
    "pretrain",
    "pretraining",
    "probe",
    "read",
    "recipes",
    "report",
    "reproduce",
    "reproduction",
    "scenes",
    "separate",
    "separate_files",
    "separation",
    "train_separator",
    "views",
]


def __getattr__(name: str) -> Any:
    with naming_extras():
        if name in _HOMES:
            return getattr(importlib.import_module(f"soundviews.{_HOMES[name]}"), name)
        if name in _PACKAGES:
            return importlib.import_module(f"soundviews.{name}")
    raise AttributeError(f"module 'soundviews' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
