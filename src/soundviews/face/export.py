"""`soundviews.export`: the encoder of a run that is not finished."""

from collections.abc import Sequence
from pathlib import Path

from soundviews.core.messages import show_messages
from soundviews.pretraining.so_far import export_so_far


def export(run: str | Path, out: str | Path | None = None, *, use: Sequence[str | Path] = ()) -> Path:
    """Take the encoder out of a run at any time, also while it trains; the training goes on undisturbed.

        model = sv.load(sv.export("runs/first"))

    Args:
        run: The run's directory.
        out: The bundle's directory; an older bundle there is replaced. None is `RUN/bundle-so-far`, or for a finished
            run the bundle that it has.
        use: Modules and .py files to import first, for components from outside.

    Returns:
        The bundle, for `soundviews.load`, `evaluate` and `embed`.

    Raises:
        SoundviewsError: there is no run, or it has no checkpoint yet.
    """
    show_messages()
    return export_so_far(Path(run), None if out is None else Path(out), use)
