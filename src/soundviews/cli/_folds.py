"""Folds as words of the command line."""

from soundviews.errors import SoundviewsError


def numbers(text: str | None) -> list[int] | None:
    """ "1,2" to [1, 2]; None stays None."""
    try:
        return [int(part) for part in text.split(",")] if text else None
    except ValueError as error:
        raise SoundviewsError(f"folds are numbers with commas between them, not {text!r}") from error
