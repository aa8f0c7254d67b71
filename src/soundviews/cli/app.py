"""The command `soundviews`: collects the verbs, prints user errors without a traceback."""

import contextlib
import ctypes
import importlib
import pkgutil
import sys
from typing import Annotated

import typer

from soundviews.core.errors import SoundviewsError, speaking_command_line
from soundviews.core.extras import naming_extras
from soundviews.core.messages import show_messages
from soundviews.core.version import __version__

app = typer.Typer(name="soundviews", no_args_is_help=True, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"soundviews {__version__}")
        raise typer.Exit


@app.callback()
def soundviews(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Learn from unlabelled recordings, judge what was learned, search an archive with it."""
    context.with_resource(speaking_command_line())
    show_messages()


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
        with naming_extras():
            app()
    except SoundviewsError as error:
        print(f"soundviews: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        # A full disk, a folder that may not be written to: where in the program it was met helps nobody.
        print(f"soundviews: {error.filename or 'the system'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(1)
