"""The encoder of a run as its last checkpoint has it, also while the run goes on."""

import logging
from collections.abc import Iterable
from pathlib import Path

import torch

from soundviews.core.components import use as import_modules
from soundviews.core.errors import SoundviewsError
from soundviews.model.bundle import load_bundle, save_bundle
from soundviews.recipes.building import build
from soundviews.recipes.loading import check

from .checkpoints import whole_checkpoint
from .directory import read_run
from .export import export
from .fit import count_steps
from .module import Pretraining
from .statistics import kept_statistics

COMMAND = "soundviews pretrain"

logger = logging.getLogger(__name__)


def export_so_far(run: Path, out: Path | None = None, use: Iterable[str | Path] = ()) -> Path:
    """Write a run's encoder as a bundle: that of its last checkpoint, or of its end if it is finished.

    A run that is training goes on undisturbed: a checkpoint takes the place of the one before whole.

    Args:
        out: The bundle's directory; an older bundle there is replaced. None is `RUN/bundle-so-far`, or for a finished
            run the bundle that it has.
        use: Modules and .py files to import first, for components from outside.

    Raises:
        SoundviewsError: there is no run, or it has no checkpoint yet.
    """
    page, environment = read_run(run, COMMAND)
    import_modules(use)
    if (finished := run / "bundle").is_dir():
        logger.info("the run is finished: this is the encoder of its end")
        return finished if out is None else save_bundle(out, *load_bundle(finished))
    recipe, last = check(page), whole_checkpoint(run)
    if last is None:
        raise SoundviewsError(
            f"{run} has no checkpoint yet: the first is written after {recipe.training.checkpoint_steps} steps "
            "(training.checkpoint_steps)"
        )
    checkpoint = torch.load(last, map_location="cpu", weights_only=True)
    steps = count_steps(recipe, environment.corpus.clips, environment.settings)
    module = Pretraining(recipe, build(recipe), steps, kept_statistics(recipe, run))
    module.load_state_dict(checkpoint["state_dict"])
    logger.info("this is the encoder after step %d of %d", checkpoint["global_step"], steps)
    return export(module, out or run / "bundle-so-far")
