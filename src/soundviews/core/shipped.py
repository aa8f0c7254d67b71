"""Encoders that come with the package, by name: a bundle each below `soundviews/model/shipped`, with its card."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from soundviews.core.errors import SoundviewsError
from soundviews.core.registry import nearest

SHIPPED = Path(__file__).parents[1] / "model" / "shipped"
CARD = "README.md"


@dataclass(frozen=True)
class Card:
    """What is said of an encoder, out of the README.md beside its weights.

    bytes: of its files. licence: of the weights. learned_from, source: in words. text: the page below its header.
    """

    name: str
    bytes: int
    licence: str
    learned_from: str
    source: str
    text: str


def shipped_names() -> list[str]:
    """The encoders that come with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/config.json"))


def shipped_folder(name: str) -> Path | None:
    """The bundle of the encoder of that name; None where none comes with the package."""
    return SHIPPED / name if name in shipped_names() else None


def locate(path: str | Path) -> Path:
    """The bundle of the encoder of that name, else the path as it is.

    What is in the current directory under that name comes first.
    """
    path = Path(path)
    return path if path.exists() else shipped_folder(str(path)) or path


def hint_of_names(path: Path) -> str:
    """What a message about a path without a bundle says of the encoders that have names; "" where it is no name."""
    names, name = shipped_names(), str(path)
    if len(path.parts) != 1 or not names:
        return ""
    if name in names:
        return f"; the encoder {name!r} that comes with soundviews is hidden by what is there: call it from elsewhere"
    return f"; nor does an encoder of that name come with soundviews: {nearest(name, names)}"


def card_of(name: str) -> Card:
    """The card of an encoder that comes with the package.

    Raises:
        SoundviewsError: none is called so.
    """
    if name not in shipped_names():
        raise SoundviewsError(f"no encoder {name!r} comes with soundviews: {nearest(name, shipped_names())}")
    folder = SHIPPED / name
    _, header, text = (folder / CARD).read_text(encoding="utf-8").split("---\n", 2)
    said = yaml.safe_load(header)
    size = sum(file.stat().st_size for file in folder.iterdir())
    return Card(name, size, said["license"], said["learned_from"], said["source"], text.strip())
