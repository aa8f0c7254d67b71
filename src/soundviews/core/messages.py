"""Notices and warnings of the package, shown plainly on standard error unless the program arranges its own logging."""

import logging

from soundviews.core.streams import show_line

logger = logging.getLogger("soundviews")


class _Plain(logging.Handler):
    """Writes to what standard error is at the time, as in a notebook's cell."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            show_line(self.format(record))
        except Exception:
            self.handleError(record)


def show_messages() -> None:
    """Show notices of level INFO and above, where neither this package's logger nor the root one has a handler."""
    if logger.handlers or logging.getLogger().handlers:
        return
    logger.addHandler(_Plain())
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
