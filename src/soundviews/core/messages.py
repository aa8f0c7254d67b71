"""What people read: names as a terminal may show them, and the package's notices and warnings.

Notices and warnings are shown plainly on standard error unless the program arranges its own logging.
"""

import copy
import logging
import sys
import unicodedata

from soundviews.core.streams import show_line

logger = logging.getLogger("soundviews")
JOINERS = "\u200c\u200d"  # within words of some scripts, and within emoji


def shown(text: object, lines: bool = False) -> str:
    """A text with names in it as a terminal may show it: one line, and nothing that the terminal would obey.

    Escape sequences, line ends and the marks that turn the direction of writing are written as in Python: a name that
    somebody else has given (in a downloaded archive, for one) could hide a line or change the window's title by them.
    Files that are written keep the name as it is.

    Args:
        lines: Line ends stay.
    """
    text = str(text)
    if text.isprintable():
        return text
    kept = JOINERS + ("\n" if lines else "")
    return "".join(letter if _is_plain(letter, kept) else _escaped(letter) for letter in text)


def _is_plain(letter: str, kept: str) -> bool:
    return letter.isprintable() or letter in kept or unicodedata.category(letter) == "Zs"  # spaces of other widths


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def say(text: str, err: bool = False) -> None:
    """Print one line to standard output or standard error, its names as `shown`."""
    print(shown(text), file=sys.stderr if err else sys.stdout, flush=True)


class _Plain(logging.Handler):
    """Writes to what standard error is at the time, as in a notebook's cell."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            record = copy.copy(record)
            if isinstance(record.args, tuple):  # the line ends of a message are its own, those of a name are not
                record.args = tuple(arg if isinstance(arg, int | float) else shown(arg) for arg in record.args)
            show_line(shown(self.format(record), lines=True))
        except Exception:
            self.handleError(record)


def show_messages() -> None:
    """Show notices of level INFO and above, where neither this package's logger nor the root one has a handler."""
    if logger.handlers or logging.getLogger().handlers:
        return
    logger.addHandler(_Plain())
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
