"""What the base installation leaves out: which extra brings a package that is not there."""

from collections.abc import Iterator
from contextlib import contextmanager

from soundviews.core.errors import SoundviewsError

EXTRAS = {
    "lightning": "train",
    "tensorboard": "train",
    "timm": "timm",
    "torchvision": "timm",
    "sklearn": "evaluate",
    "scipy": "evaluate",
    "threadpoolctl": "evaluate",
    "matplotlib": "evaluate",
    "av": "video",
    "pyroomacoustics": "rooms",
}
"""The extra of pyproject.toml that brings an importable module."""


class MissingExtra(SoundviewsError):
    """A package that an extra brings is not installed."""


@contextmanager
def naming_extras() -> Iterator[None]:
    """Within the block, a missing package is named with the extra that brings it.

    Raises:
        MissingExtra: in place of a ModuleNotFoundError, where an extra brings the module.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in EXTRAS:
            raise
        extra = EXTRAS[module]
        hint = f'pip install "soundviews[{extra}]"'
        raise MissingExtra(f"this needs {module}, which is not installed: {hint}") from error
