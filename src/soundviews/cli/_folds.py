"""Folds and splits as words of the command line."""

from soundviews.core.errors import SoundviewsError


def numbers(text: str | None) -> list[int] | None:
    """ "1, 2" to [1, 2]; nothing (None or "") to None."""
    try:
        return [int(part) for part in (text or "").split(",") if part.strip()] or None
    except ValueError:
        raise SoundviewsError(f"folds are numbers separated by commas, as in 1,2, not {text!r}") from None


def names(text: str | None) -> list[str] | None:
    """ "train, test" to ["train", "test"]; nothing (None or "") to None."""
    return [part.strip() for part in (text or "").split(",") if part.strip()] or None
