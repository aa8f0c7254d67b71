"""The separator and the channels that a table's recipes learn from, as steps."""

import json
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from soundviews.core.devices import chosen_device
from soundviews.core.files import write_text_whole
from soundviews.datasets.opening import open_corpus
from soundviews.face.pretrain import train_separator
from soundviews.recipes.reading import load_page
from soundviews.reproduction.asked import Asked
from soundviews.reproduction.page import Table
from soundviews.reproduction.scale import shortened_separator
from soundviews.reproduction.steps import Step, command
from soundviews.reproduction.trainings import digest
from soundviews.separation.preparing import prepare
from soundviews.separation.processor import load_processors


class Channels(NamedTuple):
    """Separated channels: the separator's run, the folder that holds them, the step that makes them."""

    separator: Path
    folder: Path
    step: Path


def separator_of(table: Table, asked: Asked, out: Path, data: str, learned: dict[str, Any]) -> tuple[Path, Step | None]:
    """The separator's run, and the step that trains it; None for a run that is given."""
    if asked.separator is not None:
        return Path(asked.separator), None
    recipe = table.separator if asked.stand_in is None else table.stand_in_separator
    overrides = shortened_separator(load_page(recipe), asked.scale)
    page = load_page(recipe, overrides)
    said = {key: value for key, value in page.items() if key not in ("name", "about")}
    folder = out / "separators" / digest(said, data, learned)
    last = next(name for name, at in page["processors"].items() if at == "last")
    more = {} if asked.workers is None else {"workers": asked.workers}
    told = {"recipe": recipe, "out": str(folder), "overrides": overrides, **learned, **more}
    step = Step(
        f"train the separator {recipe}",
        folder,
        folder / "processors" / last / "config.json",
        command("separate train", [data], told),
        partial(train_separator, data, **told),
    )
    return folder, step


def channels_of(
    out: Path, data: str, separator: Path, processors: list[str], seconds: float, needs: tuple[Path, ...]
) -> Step:
    """The step that separates all clips once; several tables keep their channels in one folder."""
    channels = out / "channels"
    told = {"separator": str(separator), "processors": processors, "channels": str(channels), "clip_seconds": seconds}
    folder = channels / digest(data, separator.name, processors, seconds)
    done = folder.with_suffix(".json")
    return Step(
        f"separate all clips by {', '.join(processors)}",
        folder,
        done,
        command("prepare", [data], told),
        partial(_prepare, data, separator, processors, channels, seconds, done),
        needs,
    )


def _prepare(data: str, separator: Path, processors: list[str], channels: Path, seconds: float, done: Path) -> None:
    corpus = open_corpus(data).cut(seconds)
    chosen = load_processors(separator, processors)
    prepare(corpus, chosen, channels, device=chosen_device("auto"), progress=True, wait=True)
    write_text_whole(done, json.dumps({"data": data, "separator": str(separator), "processors": processors}) + "\n")
