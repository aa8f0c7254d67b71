"""`soundviews.pretrain` and `soundviews.train_separator`: from recordings to a run, or on with one that is there."""

import logging
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from soundviews.core.messages import show_messages
from soundviews.datasets.opening import Data, open_corpus
from soundviews.model import Model, load
from soundviews.pretraining import run, separator_run
from soundviews.pretraining.directory import is_run, read_run
from soundviews.pretraining.forecast import Consent
from soundviews.pretraining.process import device_rank
from soundviews.pretraining.settings import JUDGING_CORPUS, TRAINING_CORPUS, RunSettings
from soundviews.recipes.choosing import choose_recipe
from soundviews.recipes.loading import check, load_recipe, load_separator_recipe
from soundviews.recipes.reading import Overrides, Source, load_page

SEPARATOR_RECIPE = "separator"

logger = logging.getLogger(__name__)


def pretrain(
    data: Data,
    out: str | Path,
    recipe: Source | None = None,
    overrides: Overrides = None,
    *,
    evaluation_data: Data | None = None,
    evaluation_folds: Sequence[int] | None = None,
    evaluation_splits: Sequence[str] | None = None,
    folds: Sequence[int] | None = None,
    splits: Sequence[str] | None = None,
    separator: str | Path | None = None,
    channels: str | Path | None = None,
    rooms: str | Path | None = None,
    workers: int | None = None,
    devices: int = 1,
    strict: bool = False,
    use: Sequence[str | Path] = (),
    consent: Consent | None = None,
    wait: bool = False,
) -> Model:
    """Learn an encoder from recordings that nobody has labelled. If the run is there already, it goes on.

        model = sv.pretrain("recordings", "runs/first", recipe="uclser/small", overrides={"training.steps": 2000})

    Args:
        data: A folder, a manifest, a dataset, "scenes", a corpus, or several; labels are ignored.
        out: The run's directory: new, empty, or the run that the same call has left unfinished.
        recipe: A shipped recipe (`soundviews recipes` lists them), the path of a .yaml file, a page as a dict, or a
            Recipe; None chooses one by the hours of audio and the hardware, and says why.
        overrides: Changes of the recipe: `{"training.steps": 2000}` or `["training.steps=2000"]`.
        evaluation_data: A labelled corpus to judge on while training, as the recipe's `evaluation` says.
        evaluation_folds, evaluation_splits: Judge on these folds, or splits, only.
        folds, splits: Learn from these parts of the corpus only.
        separator: A run of `train_separator`, for recipes that separate.
        channels: Where `soundviews prepare` kept its channels; None separates on the fly.
        rooms: A folder of impulse responses for the recipe's step `room`.
        workers: Processes that decode; None for half of the cores.
        devices: GPUs to use, where there are any.
        strict: Stop at the first recording that cannot be read.
        use: Modules and .py files that register components, beside those that the recipe `uses`.
        consent: Is called with what the training takes if that is more than a day, once that is measured; False ends
            it. None warns and goes on.
        wait: Wait for another process that is writing `out`, and then go on with what it left.

    Returns:
        The encoder of the finished run.

    Raises:
        SoundviewsError: what can be mended, before anything is trained; another run is in `out`, or another process is
            writing it.
        KeyboardInterrupt: interrupted after a whole step; the same call goes on.
    """
    show_messages()
    if recipe is None:
        load_page({}, overrides)  # what is no key=value fails before any audio is read
        _say_reading(data, devices)
        asked = load_recipe(*_choose(data, Path(out), overrides, folds, splits, devices, strict), use)
    else:
        asked = load_recipe(recipe, overrides, use)
        _say_reading(data, devices)
    if rooms is not None:
        asked = load_recipe(asked, {"edit_views.room.responses": str(Path(rooms).resolve())})
    directory = run.pretrain(
        asked,
        data,
        Path(out),
        evaluation_data=evaluation_data,
        evaluation_folds=evaluation_folds,
        evaluation_splits=evaluation_splits,
        folds=folds,
        splits=splits,
        separator=separator,
        channels=channels,
        workers=workers,
        devices=devices,
        strict=strict,
        consent=consent,
        wait=wait,
    )
    return _finished(directory)


def resume_pretraining(directory: str | Path, wait: bool = False) -> Model:
    """Go on with the run in this directory, as it was asked for; `wait` for another process that is writing it."""
    show_messages()
    return _finished(run.resume(Path(directory), wait))


def train_separator(
    data: Data,
    out: str | Path,
    recipe: Source | None = None,
    overrides: Overrides = None,
    *,
    folds: Sequence[int] | None = None,
    splits: Sequence[str] | None = None,
    workers: int | None = None,
    devices: int = 1,
    strict: bool = False,
    consent: Consent | None = None,
    wait: bool = False,
) -> Path:
    """Learn to separate from mixtures of unlabelled recordings (MixIT). If the run is there already, it goes on.

    Args:
        recipe: A separator's recipe, as for `pretrain`; None is separator.
        data, out, overrides, folds, splits, workers, devices, strict, consent, wait: As for `pretrain`.

    Returns:
        The run, for `sv.separate` and for the argument `separator` of `pretrain`.

    Raises:
        SoundviewsError, KeyboardInterrupt: as `pretrain`.
    """
    show_messages()
    asked = load_separator_recipe(SEPARATOR_RECIPE if recipe is None else recipe, overrides)
    _say_reading(data, devices)
    run_directory = separator_run.train(
        asked,
        data,
        Path(out),
        folds=folds,
        splits=splits,
        workers=workers,
        devices=devices,
        strict=strict,
        consent=consent,
        wait=wait,
    )
    return _separates(run_directory)


def resume_separator(directory: str | Path, wait: bool = False) -> Path:
    """Go on with the run of a separator in this directory; `wait` for another process that is writing it."""
    show_messages()
    return _separates(separator_run.resume(Path(directory), wait))


def _say_reading(data: Data, devices: int) -> None:
    """Say what is being done before it takes time."""
    if device_rank(devices) == 0:
        logger.info("reading %s", data if isinstance(data, str | Path) else "the recordings")


def _choose(
    data: Data,
    out: Path,
    overrides: Overrides,
    folds: Sequence[int] | None,
    splits: Sequence[str] | None,
    devices: int,
    strict: bool,
) -> tuple[Source, Overrides]:
    """The recipe that the run has if it is there, else one for these recordings and this machine, with what of it is
    overridden."""
    if is_run(out):
        return check(read_run(out, run.COMMAND)[0]), overrides
    corpus = open_corpus(data, strict=strict)
    if folds or splits:
        corpus = corpus.where(folds=folds, split=splits)
    corpus = corpus.with_durations()
    seconds = np.fmin(corpus.column("end"), corpus.column("duration")) - corpus.column("start")
    choice = choose_recipe(len(corpus), float(seconds.sum()), torch.accelerator.is_available(), devices)
    logger.info("%s%s", choice.why, "; then what is set comes on top" if overrides else "")
    return choice.recipe, choice.overridden(overrides)


def _finished(directory: Path) -> Model:
    """Say how to use the run's encoder, and load it."""
    page, environment = read_run(directory, run.COMMAND)
    settings, uses = environment.settings, page.get("uses") or []
    path, data = shlex.quote(str(directory)), _words(settings)
    use = "".join(f" --use {shlex.quote(name)}" for name in uses)
    labelled = _named(settings.evaluation_data) or "LABELLED_CLIPS"
    archive = shlex.quote(str(directory / "archive.parquet"))
    logger.info(
        "the encoder is ready. To judge it, to embed recordings with it and to search them:\n"
        f"  soundviews evaluate {path} --data {labelled} --protocol linear --baselines{use}\n"
        f"  soundviews embed {path} {data} --out {archive}{use}\n"
        f"  soundviews search {archive} SOUND.wav{use}\n"
        "and in Python:\n"
        f"  model = soundviews.load({str(directory)!r}{f', use={uses}' if uses else ''})\n"
        '  vectors = model.embed("SOUND.wav").vectors'
    )
    return load(directory)


def _separates(directory: Path) -> Path:
    settings = read_run(directory, separator_run.COMMAND)[1].settings
    path, data = shlex.quote(str(directory)), _words(settings)
    logger.info(
        "the separator is ready. To take recordings apart with it, and to learn from their channels:\n"
        f"  soundviews separate apply {path} {data} --out {shlex.quote(str(directory / 'channels'))}\n"
        f"  soundviews pretrain {data} --recipe ssep --separator {path} --out runs/ssep\n"
        "and in Python:\n"
        f"  channels = soundviews.separate({str(directory)!r}, 'SOUND.wav')\n"
        f'  model = soundviews.pretrain({settings.data!r}, "runs/ssep", "ssep", separator={str(directory)!r})'
    )
    return directory


def _words(settings: RunSettings) -> str:
    """The run's recordings as words of the command line; where its sounds were synthesised there are none to embed."""
    if isinstance(settings.data, str) and settings.data.partition(":")[0] == "synthesis":
        return "RECORDINGS"
    return _named(settings.data) or "RECORDINGS"


def _named(data: str | list[str] | None) -> str | None:
    """A corpus as words of the command line; None where there is none that can be named there."""
    if data is None or data in (TRAINING_CORPUS, JUDGING_CORPUS):
        return None
    return shlex.join([data] if isinstance(data, str) else data)
