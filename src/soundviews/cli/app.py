"""The command `soundviews`: collects the verbs, prints user errors without a traceback."""

import contextlib
import ctypes
import errno
import importlib
import pkgutil
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from soundviews.core.errors import SoundviewsError, brief, speaking_command_line
from soundviews.core.extras import naming_extras
from soundviews.core.interruption import end_at_once_from_now_on, exit_code, raise_on_termination, what_was_kept
from soundviews.core.messages import show_messages, shown
from soundviews.core.streams import not_printed, outlive_streams, show_line
from soundviews.core.version import __version__

PACKAGE = Path(__file__).resolve().parent.parent
READER_GONE = 141  # what shells count where SIGPIPE ends a program, as in `| head`


class _Verbs(TyperGroup):
    """Says what ends a verb, before Typer would say "Aborted" to it, or nothing."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise typer.Exit(_say_interrupted(stop)) from None
        except MemoryError as error:
            raise SoundviewsError(
                f"there is not enough memory for this: {error or 'a smaller batch may fit'}"
            ) from error
        except EOFError as error:
            raise SoundviewsError(
                f"a file ends before all that it should hold: {error or 'which one is unknown'}"
            ) from error
        except BrokenPipeError as error:
            raise SoundviewsError(
                f"{error.filename or 'another process'} has stopped reading: {error.strerror}"
            ) from error


app = typer.Typer(name="soundviews", cls=_Verbs, no_args_is_help=True, pretty_exceptions_enable=False)


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
    """Entry point.

    Exit codes: 0 done, 1 an error that is said in one line, 2 wrong arguments, 130 interrupted by Ctrl-C, 141 nobody
    reads what is printed, 143 ended by SIGTERM.
    """
    outlive_streams()
    warnings.formatwarning = _one_line
    raise_on_termination()
    keep_freed_memory()
    try:
        code = _run() or _say_not_printed()
    except KeyboardInterrupt as stop:
        code = _say_interrupted(stop)
    sys.exit(code)


def _one_line(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """A warning of this package without the line of its source; those of others as Python has them."""
    if Path(filename).is_relative_to(PACKAGE):
        return f"soundviews: {message}\n"
    return f"{filename}:{lineno}: {category.__name__}: {message}\n"


def _run() -> Any:
    """Do what the arguments say; returns the exit code."""
    try:
        load_verbs()
        with naming_extras():
            app()
    except SystemExit as end:
        return end.code
    except SoundviewsError as error:
        show_line(shown(f"soundviews: {error}"))
        return 1
    except UnicodeEncodeError as error:
        show_line(shown(f"soundviews: {brief(error.object)} is not valid UTF-8: give it another name"))
        return 1
    except OSError as error:
        # A full disk, a folder that may not be written to: where in the program it was met helps nobody.
        show_line(shown(f"soundviews: {error.filename or 'the system'}: {error.strerror or error}"))
        return 1


def _say_interrupted(stop: KeyboardInterrupt) -> int:
    code = exit_code(stop)
    end_at_once_from_now_on(code)
    show_line("\n" + shown(f"soundviews: interrupted: {what_was_kept(stop) or 'the same command begins anew'}"))
    return code


def _say_not_printed() -> int:
    error = not_printed()
    if error is None:
        return 0
    if error.errno == errno.EPIPE:
        return READER_GONE
    show_line(f"soundviews: what was to be printed could not be: {error.strerror or error}")
    return 1
