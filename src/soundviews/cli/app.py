"""The command `soundviews`: collects the verbs, prints user errors without a traceback."""

import contextlib
import ctypes
import importlib
import pkgutil
import sys

import typer

from soundviews.core.errors import SoundviewsError

app = typer.Typer(
    name="soundviews",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Learn from unlabelled recordings, judge what was learned, search an archive with it.",
)


def load_verbs() -> None:
    """Import every module of `soundviews.cli`: a verb registers itself by being there."""
    import soundviews.cli

    for module in pkgutil.iter_modules(soundviews.cli.__path__):
        importlib.import_module(f"soundviews.cli.{module.name}")


def keep_freed_memory() -> None:
    """Let glibc reuse the memory of large tensors instead of giving it back and faulting it in again.

    Page faults took nearly half the time of the VGG-like encoder on a CPU, and none of ResNet-18's. Other C libraries
    have no such switch.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 a user error, 2 wrong arguments, 130 interrupted."""
    keep_freed_memory()
    load_verbs()
    try:
        app()
    except SoundviewsError as error:
        print(f"soundviews: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        # A full disk, a folder that may not be written to: where in the program it was met helps nobody.
        print(f"soundviews: {error.filename or 'the system'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(1)
