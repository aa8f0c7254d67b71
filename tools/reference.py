"""Write docs/reference/ from the code: `python -m tools.reference`, or `make reference`."""

from collections.abc import Callable
from pathlib import Path

from tools import command_line, python_names, recipe_keys

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "command-line.md": command_line.write,
    "recipe-keys.md": recipe_keys.write,
    "python.md": python_names.write,
}


def main() -> None:
    """Write every page."""
    FOLDER.mkdir(exist_ok=True)
    for name, write in PAGES.items():
        (FOLDER / name).write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()
