"""Options of what takes long: `--yes`, since more than a day is asked about, and `--wait` for another writer."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Train without a question, also for more than a day.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for another soundviews that is writing there.")]


def consent_of(yes: bool) -> Callable[[str], bool]:
    """Ask in a terminal; elsewhere only `--yes` means yes. Ctrl-C or Ctrl-D at the question means no."""

    def consent(text: str) -> bool:
        if yes:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        try:
            return typer.confirm(f"This takes {text}. Go on?", err=True)
        except typer.Abort:
            return False

    return consent
